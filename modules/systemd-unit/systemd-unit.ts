/** A unit file, or a drop-in for one, and that systemd has read it. */
import { z } from "zod";
import { defineModule, run, sh } from "#engine/index.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import { Content, State, UnitName } from "../params.ts";
import { undoFiles } from "../undo-file.ts";
import { readUnit } from "../unit-state.ts";

export const systemdUnit = defineModule({
  name: "systemd-unit",
  summary: "Keep a unit file or drop-in under /etc/systemd/system, read by systemd.",
  example: `use.systemdUnit({
  name: "kubelet.service",
  dropIn: "20-after-network",
  content: "[Unit]\\nAfter=network-online.target\\n",
})`,

  params: z
    .strictObject({
      name: UnitName.describe("The unit with its ending, as kubelet.service."),
      dropIn: z
        .string()
        // systemd passes over hidden files.
        .regex(/^[\w@-][\w@.-]*$/, "expected a name, as 20-after-network")
        .optional()
        .describe("Writes <name>.d/<dropIn>.conf in place of the unit file itself."),
      content: Content.optional().describe("The whole file."),
      state: State.describe(
        "absent stops and disables the unit first (a drop-in is just removed).",
      ),
    })
    .refine((want) => want.state === "absent" || want.content !== undefined, {
      message: "expected content",
    }),

  async read(host, want) {
    const [file, unit] = await Promise.all([
      readManaged(host, pathOf(want)),
      // systemd says nothing of a template, but of its instances.
      readUnit(host, want.name.replace("@.", "@run-playbook.")),
    ]);
    return { file, unit };
  },

  *diff({ file, unit }, want) {
    const { name, content = "", state, dropIn } = want;
    const path = pathOf(want);
    const used = unit.active === "active" || unit.file.startsWith("enabled");
    if (state === "absent" && dropIn === undefined && file.stat !== undefined && used)
      yield run(
        sh`systemctl disable --now -- ${name}`,
        `${name}: ${unit.active} → stopped, disabled`,
      );
    const changes = [
      ...(state === "absent" ? keepAway(file, path) : keepFile(file, { path, content })),
    ];
    yield* changes;
    // Stale without a change of ours: someone edited it, or a run was cut between the two.
    if (changes.length > 0 || unit.stale)
      yield run(sh`systemctl daemon-reload`, `systemd reads ${path} anew`);
  },

  *undo(before, now, want) {
    const { name, dropIn, state } = want;
    const path = pathOf(want);
    const changes = [...undoFiles({ path, before: before.file, now: now.file })];
    yield* changes;
    if (changes.length > 0 || now.unit.stale)
      yield run(sh`systemctl daemon-reload`, `systemd reads ${path} anew`);
    if (state === "present" || dropIn !== undefined) return;
    const { active, file } = before.unit;
    if (file === "enabled" && now.unit.file !== "enabled")
      yield run(sh`systemctl enable -- ${name}`, `${name}: ${now.unit.file || "gone"} → enabled`);
    if (active === "active" && now.unit.active !== "active")
      yield run(sh`systemctl start -- ${name}`, `${name}: ${now.unit.active} → active`);
  },
});

const pathOf = ({ name, dropIn }: { name: string; dropIn?: string | undefined }) =>
  dropIn === undefined
    ? `/etc/systemd/system/${name}`
    : `/etc/systemd/system/${name}.d/${dropIn}.conf`;
