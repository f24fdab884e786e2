/** Kernel parameters: live now, and kept across reboots. */
import { z } from "zod";
import { defineModule, type Host, PlaybookError, run, script } from "#engine/index.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import { AbsolutePath, Line, State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";

const Key = z
  .string()
  .regex(/^\w[\w-]*([./][\w@:.-]+)+$/, "expected a key such as net.ipv6.conf.all.forwarding")
  .refine((key) => !key.includes(".."), "expected a key without ..");
const Value = z.union([Line, z.number()]).transform((value) => spaced(String(value)));

export const sysctl = defineModule({
  name: "sysctl",
  summary: "Keep kernel parameters at the given values, now and after a reboot.",
  example: `use.sysctl({
  values: { "net.ipv6.conf.eth0.accept_ra": 2, "net.ipv6.conf.all.forwarding": 1 },
})`,

  params: z.strictObject({
    values: z
      .record(Key, Value)
      .describe(
        "Key to value. Slashes as in net/ipv6/conf/eth0.100/accept_ra where a part holds a dot. Keys called accept_ra are set first and forwarding last, whatever the order given: a host that forwards before it has accept_ra=2 loses the default route it learned.",
      ),
    file: AbsolutePath.default("/etc/sysctl.d/90-run-playbook.conf").describe(
      "Where they are kept; one step per file.",
    ),
    state: State.describe(
      "absent removes the file; values that are live stay until the next boot.",
    ),
  }),

  outputs: z.object({
    live: z.record(z.string(), z.string()).describe("What the kernel says now."),
  }),

  async read(host, want) {
    const keys = Object.keys(want.values);
    const [live, saved, later, learned] = await Promise.all([
      readLive(host, keys),
      readManaged(host, want.file),
      host.text(script(LATER, want.file.slice(want.file.lastIndexOf("/") + 1))),
      host.text(script(LEARNED)),
    ]);
    return { live, saved, later, learned: learned.split("\n").filter(Boolean) };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      yield* keepAway(now.saved, want.file);
      return;
    }
    const values = Object.entries(want.values).sort(([a], [b]) => byDanger(a, b));
    const unknown = values.map(([key]) => key).filter((key) => now.live[key] === undefined);
    if (unknown.length > 0) throw new PlaybookError("PB_SYSCTL_UNKNOWN", [unknown]);
    refuseOverridden(now.later, want.values);
    refuseLosingRoute(now, want.values);

    const content = values.map(([key, value]) => `${key} = ${value}\n`).join("");
    yield* keepFile(now.saved, { path: want.file, content });
    for (const [key, value] of values) {
      const was = now.live[key];
      if (was !== value) yield run(script(SET, path(key), value), `${key}: ${was} → ${value}`);
    }
  },

  *undo(before, now, { values, file }) {
    // The other way round: a host that no longer forwards may lose accept_ra=2, and keeps its route.
    for (const key of Object.keys(values).sort(byDanger).reverse()) {
      const [was, is] = [before.live[key], now.live[key]];
      if (was !== undefined && is !== undefined && was !== is)
        yield run(script(SET, path(key), was), `${key}: ${is} → ${was}`);
    }
    yield* undoFiles({ path: file, before: before.saved, now: now.saved });
  },
});

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

// The files that systemd-sysctl reads after ours, in its order: by name, whatever the folder.
const LATER = `# sysctl-later
for file in /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf; do
  [ -f "$file" ] || continue
  name=\${file##*/}
  first=$(printf '%s\\n' "$name" "$1" | LC_ALL=C sort | head -n 1)
  if [ "$first" = "$1" ] && [ "$name" != "$1" ]; then
    grep -HE '^[[:space:]]*-?[[:alnum:]]' "$file"
  fi
done
true`;

// Interfaces whose default route the kernel learned from a router, and forgets once the host forwards.
const LEARNED = `# sysctl-learned
while read -r to length _ _ _ _ _ _ flags dev; do
  [ "$length" = 00 ] && [ $((0x$flags & 0x00050000)) = $((0x00050000)) ] || continue
  [ "$(cat "/proc/sys/net/ipv6/conf/$dev/accept_ra")" = 1 ] && printf '%s\\n' "$dev"
done </proc/net/ipv6_route 2>/dev/null
true`;

async function readLive(host: Host, keys: string[]): Promise<Record<string, string>> {
  if (keys.length === 0) return {};
  const lines = (await host.text(script(LIVE, ...keys.map(path)))).split("\n");
  const found = keys.flatMap((key, index) => {
    const line = lines[index];
    return line?.startsWith("=") ? [[key, spaced(line.slice(1))] as const] : [];
  });
  return Object.fromEntries(found);
}

/** The path under /proc/sys: where the first separator is a slash, dots stand for themselves. */
const path = (key: string): string => {
  const slashed = key.search(/[./]/) >= 0 && key[key.search(/[./]/)] === "/";
  const swap = (char: string) => (char === "." ? "/" : ".");
  return slashed ? key : key.replace(/[./]/g, swap);
};

// The kernel prints vectors (tcp_rmem) with tabs; people write them with spaces.
const spaced = (value: string) => value.trim().split(/\s+/).join(" ");

const danger = (key: string) => {
  if (key.endsWith("accept_ra")) return 0;
  return key.endsWith("forwarding") ? 2 : 1;
};
const byDanger = (a: string, b: string) => danger(a) - danger(b);

function refuseOverridden(later: string, values: Record<string, string>): void {
  const wanted = new Map(Object.entries(values).map(([key, value]) => [path(key), value]));
  const last = new Map<string, { file: string; key: string; value: string }>();
  for (const line of later.split("\n")) {
    // "/etc/sysctl.d/99-x.conf:-net.ipv4.ip_forward = 1"
    const [file, setting] = halves(line, ":");
    const [key, value] = halves(setting.trim().replace(/^-/, ""), "=").map((part) => part.trim());
    if (key && value !== undefined) last.set(path(key), { file, key, value: spaced(value) });
  }
  for (const [wantedPath, value] of wanted) {
    const other = last.get(wantedPath);
    if (other !== undefined && other.value !== value)
      throw new PlaybookError("PB_SYSCTL_OVERRIDDEN", [other.file, other.key, other.value]);
  }
}

const halves = (text: string, at: string): [string, string] => {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
};

interface Learned {
  readonly live: Record<string, string>;
  readonly learned: readonly string[];
}

function refuseLosingRoute({ live, learned }: Learned, values: Record<string, string>): void {
  const wanted = new Map(Object.entries(values).map(([key, value]) => [path(key), value]));
  const turnedOn = Object.entries(values).flatMap(([key, value]) =>
    value === "1" && live[key] === "0" ? [path(key)] : [],
  );
  const lost = learned.find(
    (dev) =>
      wanted.get(`net/ipv6/conf/${dev}/accept_ra`) !== "2" &&
      ["all", dev].some((scope) => turnedOn.includes(`net/ipv6/conf/${scope}/forwarding`)),
  );
  if (lost !== undefined) throw new PlaybookError("PB_ROUTE_AT_RISK", [lost]);
}
