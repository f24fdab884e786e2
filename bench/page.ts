/** docs/benchmarks.md, from the result of one run. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { goalRows, missed, perNode } from "./goals.ts";
import { medianMs } from "./matrix.ts";
import { type Mode, modes } from "./options.ts";
import { type PeerName, peerNames } from "./peers/peer.ts";
import { plot } from "./plot.ts";
import type { BenchResult, MeasuredCell } from "./result.ts";
import { roundTripsOf } from "./round-trips.ts";

const docs = join(import.meta.dirname, "../docs");

/** Writes the result, the page and the plot. */
export async function writePage(result: BenchResult): Promise<void> {
  await writeFile(join(docs, "benchmarks.json"), `${JSON.stringify(result, null, 1)}\n`);
  await writeFile(join(docs, "benchmarks.md"), benchmarkPage(result));
  await writeFile(join(docs, "benchmarks.svg"), plot(result));
}

export function benchmarkPage(result: BenchResult): string {
  return `# Benchmarks

Twenty idempotent checks a host: 16 files with content, owner and mode, and 4 services that run and are enabled. Wall
time of whole processes, without npx, all measured in one run on ${result.date}, side by side: each cell once, then each
again, the short ones first, ${result.runs} times where the budget of ${result.budgetMinutes} minutes allowed. The hosts
are lab hosts on the same machine, the delay is one line on the controlling side. \`npm run bench\` measures it anew.

Machine: ${result.machine}.

${table(
  ["", "version", "settings"],
  result.peers.map(({ name, version, settings }) => [name, version, settings]),
)}
**floor** is the least that this work can cost over ssh2: one connection a host, one script that does the same checks.

## Goals

${table(["goal", "measured", ""], goalRows(result))}
${missed(result)
  .map((line) => `- ${line}\n`)
  .join("")}
![Nothing to do, no delay](benchmarks.svg)

${modes.map((mode) => modeSection(mode, result)).join("\n")}
## Round trips

What a run on one host with nothing to do costs in round trips, from the slope between the shortest and the longest
delay; **connect** is the floor without its script, TCP and SSH handshakes included.

${table(
  ["", "round trips"],
  roundTripsOf(result).map(({ peer, trips }) => [peer, trips.toFixed(1)]),
)}
${scaleSection(result)}${transferSection(result)}`;
}

function scaleSection({ scale }: BenchResult): string {
  if (scale.length === 0) return "";
  const rows = scale.map((size, index) => {
    const less = scale[index - 1];
    const further = (time: "ms" | "cpuMs") =>
      less === undefined ? "" : perNode(less, size, time).toFixed(2);
    return [
      String(size.hosts),
      (size.ms / 1000).toPrecision(3),
      (size.cpuMs / 1000).toPrecision(3),
      further("ms"),
      further("cpuMs"),
      String(size.peakMiB),
    ];
  });
  return `## Many hosts

run-playbook on simulated hosts: SSH servers in other processes of the same machine that answer as hosts would on which
all is done. Their own work is in the wall time, not in the CPU time.

${table(["hosts", "seconds", "CPU seconds", "ms a further node", "CPU ms a further node", "peak MiB"], rows)}`;
}

function transferSection({ transfers }: BenchResult): string {
  if (transfers.length === 0) return "";
  const rows = transfers.map(({ what, ours, scp }) => [what, String(ours), String(scp)]);
  return `
## Files

Random content over one sshd on the same machine, connections included; what run-playbook carries, it hashes at both
ends. Median MB/s.

${table(["", "run-playbook", "scp"], rows)}`;
}

function modeSection(mode: Mode, { cells }: BenchResult): string {
  const here = cells.filter((cell) => cell.mode === mode && cell.peer !== "connect");
  const columns = [...new Map(here.map((cell) => [columnOf(cell), cell])).values()].sort(
    (a, b) => a.hosts - b.hosts || a.roundTrip - b.roundTrip,
  );
  if (columns.length === 0) return "";
  const at = (peer: PeerName, column: MeasuredCell) =>
    here.find((cell) => cell.peer === peer && columnOf(cell) === columnOf(column));
  const rows = peerNames
    .filter((peer) => here.some((cell) => cell.peer === peer))
    .map((peer) => [
      peer,
      ...columns.map((column) => shown(at(peer, column), at("run-playbook", column))),
    ]);
  const title = mode === "no-op" ? "Nothing to do" : "First run";
  return `## ${title}

Median seconds; in brackets how many times as long as run-playbook; after ×, of how many measurements.

${table(["", ...columns.map(({ hosts, roundTrip }) => `${hosts === 1 ? "1 host" : `${hosts} hosts`}, ${roundTrip} ms`)], rows)}`;
}

const columnOf = ({ hosts, roundTrip }: MeasuredCell) => `${hosts} ${roundTrip}`;

function shown(cell: MeasuredCell | undefined, ours: MeasuredCell | undefined): string {
  if (cell === undefined || cell.samples.length === 0) return "not measured";
  const seconds = (medianMs(cell) / 1000).toPrecision(3);
  const ratio =
    ours === undefined || ours === cell || ours.samples.length === 0
      ? ""
      : ` (${(medianMs(cell) / medianMs(ours)).toPrecision(2)})`;
  return `${seconds}${ratio} ×${cell.samples.length}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("");
}
