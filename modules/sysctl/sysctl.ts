/** Kernel parameters: live now, and kept across reboots. */
import { z } from "zod";
import { defineModule, type Host, PlaybookError, run, script } from "#engine/index.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import { FilePath, Line, State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";
import {
  type BootFile,
  FOLDERS,
  isReadAtBoot,
  pathOf,
  readBootFiles,
  sameValue,
  settingsAtBoot,
  spaced,
} from "./boot-files.ts";

const Key = z
  .string()
  .regex(/^\w[\w-]*([./][\w@:.-]+)+$/, "expected a key such as net.ipv6.conf.all.forwarding")
  .refine((key) => !key.includes(".."), "expected a key without ..");
const Value = z.union([Line, z.int()]).transform((value) => spaced(String(value)));

export const sysctl = defineModule({
  name: "sysctl",
  summary: "Keep kernel parameters at the given values, now and after a reboot.",
  example: `use.sysctl({
  values: { "net.ipv6.conf.eth0.accept_ra": 2, "net.ipv6.conf.all.forwarding": 1 },
})`,

  params: z.strictObject({
    values: z
      .record(Key, Value)
      .refine(
        (values) => new Set(Object.keys(values).map(pathOf)).size === Object.keys(values).length,
        {
          message: "a key is given twice: net.ipv4.ip_forward and net/ipv4/ip_forward are one",
        },
      )
      .describe(
        "Key to value. Slashes as in net/ipv6/conf/eth0.100/accept_ra where a part holds a dot. Keys called accept_ra are set first and forwarding last, whatever the order given: a host that forwards before it has accept_ra=2 loses the default route it learned.",
      ),
    file: FilePath.refine(
      isReadAtBoot,
      "expected a file of sysctl.d that ends with .conf: no other is read at boot",
    )
      .default("/etc/sysctl.d/90-run-playbook.conf")
      .describe("Where they are kept; one step per file."),
    state: State.describe(
      "absent removes the file; values that are live stay until the next boot.",
    ),
  }),

  outputs: z.object({
    live: z.record(z.string(), z.string()).describe("What the kernel says now."),
  }),

  async read(host, want) {
    const keys = Object.keys(want.values);
    const [live, saved, files, learned] = await Promise.all([
      readLive(host, keys),
      readManaged(host, want.file),
      readBootFiles(host),
      host.text(script(LEARNED)),
    ]);
    return { live, saved, files, learned: learned.split("\n").filter(Boolean) };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      yield* keepAway(now.saved, want.file);
      return;
    }
    const values = Object.entries(want.values).sort(([a], [b]) => inOrder(a, b));
    const unknown = values.map(([key]) => key).filter((key) => now.live[key] === undefined);
    if (unknown.length > 0) throw new PlaybookError("PB_SYSCTL_UNKNOWN", [unknown]);
    const rendered = values.map(([key, value]) => `${key} = ${value}\n`).join("");
    const content = saysTheSame(now.saved.content, rendered) ? now.saved.content : rendered;
    const others = now.files.filter(({ path }) => path !== want.file);
    refuseOverridden([...others, { path: want.file, lines: content.split("\n") }], want.values);
    refuseLosingRoute(now, want.values);

    yield* keepFile(now.saved, { path: want.file, content });
    for (const [key, value] of values) {
      const was = now.live[key];
      if (was === undefined || !sameValue(was, value))
        yield run(script(SET, pathOf(key), value), `${key}: ${was} → ${value}`);
    }
  },

  *undo(before, now, { values, file }) {
    for (const key of Object.keys(values).sort(backInOrder)) {
      const [was, is] = [before.live[key], now.live[key]];
      if (was !== undefined && is !== undefined && was !== is)
        yield run(script(SET, pathOf(key), was), `${key}: ${is} → ${was}`);
    }
    yield* undoFiles({ path: file, before: before.saved, now: now.saved });
  },
});

/** Whether a file has just these settings in this order, however they are spelled; comments of others do not count. */
function saysTheSame(saved: string | undefined, rendered: string): saved is string {
  const settings = (text: string) => [
    ...settingsAtBoot([{ path: `${FOLDERS[0]}/x.conf`, lines: linesOf(text) }]),
  ];
  const [is, wanted] = [settings(saved ?? ""), settings(rendered)];
  return (
    saved !== undefined &&
    linesOf(saved).length === wanted.length &&
    is.length === wanted.length &&
    is.every(([key, { value }], index) => {
      const [other, to] = wanted[index] ?? [];
      return key === other && value !== undefined && sameValue(value, to?.value ?? "");
    })
  );
}

const linesOf = (text: string) => text.split("\n").filter((line) => /^\s*[^\s#;]/.test(line));

// Straight from /proc: a minimal host has no sysctl program, and `sysctl -p` applies files that are not ours.
const LIVE = `# sysctl-live
for key; do
  if [ -e "/proc/sys/$key" ]; then
    printf '=%s\\n' "$(tr '\\n' ' ' <"/proc/sys/$key" 2>/dev/null)"
  else
    echo '!'
  fi
done`;

const SET = `# sysctl-set
printf '%s\\n' "$2" >"/proc/sys/$1"`;

// Interfaces whose default route the kernel learned from a router, and forgets once the host forwards.
const LEARNED = `# sysctl-learned
while read -r to length _ _ _ _ _ _ flags dev; do
  [ "$length" = 00 ] && [ $((0x$flags & 0x00050000)) = $((0x00050000)) ] || continue
  [ "$(cat "/proc/sys/net/ipv6/conf/$dev/accept_ra")" = 1 ] && printf '%s\\n' "$dev"
done </proc/net/ipv6_route 2>/dev/null
true`;

async function readLive(host: Host, keys: string[]): Promise<Record<string, string>> {
  if (keys.length === 0) return {};
  const lines = (await host.text(script(LIVE, ...keys.map(pathOf)))).split("\n");
  const found = keys.flatMap((key, index) => {
    const line = lines[index];
    return line?.startsWith("=") ? [[key, spaced(line.slice(1))] as const] : [];
  });
  return Object.fromEntries(found);
}

const danger = (key: string) => {
  if (key.endsWith("accept_ra")) return 0;
  return key.endsWith("forwarding") ? 2 : 1;
};
/** What is for all interfaces sets each of them, so that what one alone has comes after it. */
const breadth = (key: string) => {
  const [, , , scope = ""] = pathOf(key).split("/");
  return { all: 0, default: 1 }[scope] ?? 2;
};
/** One order, whatever the playbook's. */
const inOrder = (a: string, b: string) => danger(a) - danger(b) || byBreadth(a, b);
const byBreadth = (a: string, b: string) =>
  breadth(a) - breadth(b) || (pathOf(a) < pathOf(b) ? -1 : 1);
/** The other way round: a host that no longer forwards may lose accept_ra=2, and keeps its route. */
const backInOrder = (a: string, b: string) => danger(b) - danger(a) || byBreadth(a, b);

function refuseOverridden(files: readonly BootFile[], values: Record<string, string>): void {
  const atBoot = settingsAtBoot(files);
  for (const [key, value] of Object.entries(values)) {
    const last = atBoot.get(pathOf(key));
    if (last?.value === undefined || !sameValue(last.value, value))
      throw new PlaybookError("PB_SYSCTL_OVERRIDDEN", [key, last]);
  }
}

interface Learned {
  readonly live: Record<string, string>;
  readonly learned: readonly string[];
}

function refuseLosingRoute({ live, learned }: Learned, values: Record<string, string>): void {
  const wanted = new Map(Object.entries(values).map(([key, value]) => [pathOf(key), value]));
  const turnedOn = Object.entries(values).flatMap(([key, value]) =>
    value === "1" && live[key] === "0" ? [pathOf(key)] : [],
  );
  const lost = learned.find(
    (dev) =>
      wanted.get(`net/ipv6/conf/${dev}/accept_ra`) !== "2" &&
      ["all", dev].some((scope) => turnedOn.includes(`net/ipv6/conf/${scope}/forwarding`)),
  );
  if (lost !== undefined) throw new PlaybookError("PB_ROUTE_AT_RISK", [lost]);
}
