/** A reboot, where one is due: its goal is that the host was started after what asks for it. */
import { z } from "zod";
import { defineModule, reboot as rebootChange, script } from "#engine/index.ts";
import { AbsolutePath, DurationText } from "../params.ts";

export const reboot = defineModule({
  name: "reboot",
  summary: "Start the host anew where something asks for it, and go on once it answers again.",
  lasting: "a host that was started anew stays so",
  example: `use.reboot({ after: ["/etc/default/grub.d/90-cgroup.cfg"] })`,

  params: z.strictObject({
    required: z
      .boolean()
      .default(true)
      .describe("When a package asks for it (/run/reboot-required is there)."),
    after: z
      .array(AbsolutePath)
      .default([])
      .describe("When one of these files changed since the host started."),
    since: z
      .string()
      .regex(/^[0-9a-f-]{36}$/, "expected a boot id, as assert-os gives it")
      .optional()
      .describe(
        "When the host still has this boot id: once, in a playbook that took the id first.",
      ),
    within: DurationText.default("5m").describe("How long it may take to answer again."),
  }),

  outputs: z.object({ bootId: z.string().describe("Of the boot that it runs in now.") }),

  async read(host, want) {
    const [bootId, printed, asked] = await Promise.all([
      host.readFile("/proc/sys/kernel/random/boot_id"),
      host.text(script(STATE, ...want.after)),
      host.stat("/run/reboot-required"),
    ]);
    const [began = "", ...files] = printed.split("\n");
    const startedAt = Date.parse(began.replace(/^\S+ (\S+) (\S+) UTC$/, "$1T$2Z"));
    const younger = files.flatMap((line) => {
      const [at, ...path] = line.split(" ");
      return Number(at) * 1000 > startedAt ? [path.join(" ")] : [];
    });
    return { bootId: (bootId ?? "").trim(), younger, asked: asked !== undefined };
  },

  *diff(now, want) {
    const reasons = [
      ...(want.required && now.asked ? ["packages ask for it"] : []),
      ...now.younger.map((path) => `${path} changed since it started`),
      ...(want.since === now.bootId ? ["it was not since the playbook began"] : []),
    ];
    if (reasons.length > 0) yield rebootChange(want.within, `reboot: ${reasons.join(", ")}`);
  },
});

// When this system began, not the machine: a container starts later than the kernel it runs on.
const STATE = `# reboot-state
systemctl show --timestamp=us+utc --property=UserspaceTimestamp --value
for file; do stat -c '%.6Y %n' -- "$file" 2>/dev/null; done
true`;
