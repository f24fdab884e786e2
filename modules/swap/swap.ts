/** Swap off, as kubelet wants it. */
import { z } from "zod";
import { type Change, defineModule, type Host, run, script, sh } from "#engine/index.ts";
import { type FileNow, keepFile, readManaged } from "../managed-file.ts";
import { undoFiles } from "../undo-file.ts";

// What makes swap without fstab or a unit of its own, by the names of the packages that bring them.
const MAKERS = ["zramswap.service", "dphys-swapfile.service", "swapspace.service"];

export const swap = defineModule({
  name: "swap",
  summary:
    "Keep swap off: live, in fstab, and in the units that would bring it back (zram included).",
  example: `use.swap({ state: "off" })`,
  params: z.strictObject({
    state: z
      .enum(["off"])
      .default("off")
      .describe(
        "Only off. In a container /proc/swaps shows the machine's swap, which is left alone.",
      ),
  }),
  outputs: z.object({ live: z.array(z.string()).describe("Devices and files in use as swap.") }),

  async read(host) {
    const [swaps, fstab, units, makers, container] = await Promise.all([
      host.readFile("/proc/swaps"),
      readManaged(host, "/etc/fstab"),
      host.text(sh`systemctl list-units --type=swap --all --plain --no-legend --full --no-pager`),
      enabledMakers(host),
      host.readFile("/run/systemd/container"),
    ]);
    const live = container === undefined ? firstWords(swaps ?? "").slice(1) : [];
    return { live, fstab, units: unmasked(units), makers };
  },

  *diff(now) {
    yield* keepFstab(now.fstab);
    for (const unit of now.makers)
      yield run(sh`systemctl disable --now -- ${unit}`, `${unit}: enabled → disabled`);
    for (const unit of now.units)
      yield run(sh`systemctl mask --now -- ${unit}`, `${unit}: would come back at boot → masked`);
    if (now.live.length > 0) yield run(sh`swapoff -a`, `swap off: ${now.live.join(", ")}`);
  },

  *undo(before, now) {
    const fstab = [...undoFiles({ path: "/etc/fstab", before: before.fstab, now: now.fstab })];
    yield* fstab;
    const masked = before.units.filter((unit) => !now.units.includes(unit));
    for (const unit of masked)
      yield run(sh`systemctl unmask -- ${unit}`, `${unit}: masked → would come back at boot`);
    // systemd makes units of fstab's lines when it reads them.
    if (fstab.length + masked.length > 0)
      yield run(sh`systemctl daemon-reload`, "systemd reads /etc/fstab anew");
    for (const unit of before.makers.filter((maker) => !now.makers.includes(maker)))
      yield run(sh`systemctl enable --now -- ${unit}`, `${unit}: disabled → enabled`);
    const off = before.live.filter((device) => !now.live.includes(device));
    if (off.length > 0) yield run(script(SWAPON, ...off), `swap on: ${off.join(", ")}`);
  },
});

// Those that a unit brought back meanwhile are on already; fstab knows their options.
const SWAPON = `# swap-on
swapon -a
for device; do
  sed 's/[[:space:]].*//' /proc/swaps | grep -qxF -- "$device" || swapon -- "$device" || exit 1
done`;

function* keepFstab(fstab: FileNow): Generator<Change> {
  if (fstab.content === undefined) return;
  const content = fstab.content
    .split("\n")
    .map((line) => (isSwap(line) ? `# off (run-playbook): ${line}` : line))
    .join("\n");
  const { mode, owner, group } = fstab.stat ?? {};
  if (content !== fstab.content)
    yield* keepFile(fstab, { path: "/etc/fstab", content, mode, owner, group });
}

const isSwap = (line: string): boolean => {
  const [device = "", , kind] = line.trim().split(/\s+/, 4);
  return kind === "swap" && !device.startsWith("#");
};

// list-unit-files exits 1 where it knows none of them.
async function enabledMakers(host: Host): Promise<string[]> {
  const { stdout } = await host.run(
    sh`systemctl list-unit-files --plain --no-legend --no-pager ${MAKERS}`,
  );
  const rows = stdout.split("\n").map((row) => row.split(/\s+/));
  return rows.flatMap(([unit = "", state]) => (state === "enabled" ? [unit] : []));
}

function unmasked(listed: string): string[] {
  const rows = listed.split("\n").map((row) => row.trim().split(/\s+/));
  return rows.flatMap(([unit = "", load]) =>
    unit.endsWith(".swap") && load === "loaded" ? [unit] : [],
  );
}

const firstWords = (text: string) =>
  text
    .split("\n")
    .map((line) => line.split(/\s/)[0] ?? "")
    .filter(Boolean);
