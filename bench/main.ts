/** `npm run bench`: the same work by every peer, side by side, in one run. */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { openLab } from "#lab/lab.ts";
import { lineProgress } from "#lab/lines.ts";
import { measureBootstrap } from "./bootstrap.ts";
import { firstConnections } from "./first-connection.ts";
import { measureScale } from "./fleet/scale.ts";
import { benchHosts, setRoundTrip } from "./hosts.ts";
import { cellsOf, expectedMs } from "./matrix.ts";
import { type BenchOptions, benchOptions, usage } from "./options.ts";
import { benchmarkPage, writePage } from "./page.ts";
import type { Peer } from "./peers/peer.ts";
import { openPeers } from "./peers/peers.ts";
import type { BenchResult, Cell, MeasuredCell, Sample } from "./result.ts";
import { Runner } from "./runner.ts";
import { measureTransfers } from "./transfer.ts";

/** What is measured before all that takes longer. */
const SHORT_MS = 40_000;

/** How much of the time the first round trip gets; the others share the rest. */
const FIRST_SHARE = 0.6;

async function bench(options: BenchOptions): Promise<void> {
  const report = lineProgress(process.stderr);
  const lab = openLab("bench", report);
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  try {
    const peers = await openPeers(options.peers, folder, report);
    const hosts = await benchHosts(lab, Math.max(...options.hosts));
    const runner = await Runner.open(hosts, peers, folder);
    const known = await warmUp(runner, peers);
    const firstConnectionMs = await firstConnections(peers, hosts);
    const started = Date.now();
    const cells: MeasuredCell[] = [];
    for (const [index, roundTrip] of options.roundTrips.entries()) {
      await setRoundTrip(lab, roundTrip);
      const until = started + options.budgetMs * shareUpTo(index, options.roundTrips.length);
      const plan = { ...options, roundTrips: [roundTrip] };
      cells.push(...(await measureCells(runner, plan, { until, known: [...known, ...cells] })));
    }
    const result: BenchResult = {
      date: new Date().toISOString().slice(0, 10),
      machine: machine(),
      runs: options.runs,
      budgetMinutes: options.budgetMs / 60_000,
      peers: peers.map(({ name, version, settings }) => ({ name, version, settings })),
      cells,
      firstConnectionMs,
      scale: await scaleOf(peers, folder, options.scale),
      transfers: options.transfer > 0 ? await measureTransfers(options.transfer) : [],
      ...(options.bootstrap && { bootstrap: await measureBootstrap(report) }),
    };
    process.stdout.write(benchmarkPage(result));
    if (options.write) await writePage(result);
  } finally {
    await rm(folder, { recursive: true });
    if (!options.keep) await lab.down();
  }
}

async function scaleOf(peers: readonly Peer[], folder: string, sizes: readonly number[]) {
  const ours = peers.find(({ name }) => name === "run-playbook");
  return ours === undefined || sizes.length === 0 ? [] : measureScale(ours, folder, sizes);
}

/** Every peer once, unmeasured: what is compiled or cached is so for all. It tells how long the rest may take. */
async function warmUp(runner: Runner, peers: readonly Peer[]): Promise<MeasuredCell[]> {
  const cells: MeasuredCell[] = [];
  for (const { name: peer } of peers) {
    const cell = { peer, hosts: 1, roundTrip: 0, mode: "no-op" } as const;
    cells.push({ ...cell, samples: [await runner.measure(cell)] });
  }
  return cells;
}

/**
 * Each cell once, then each again: what slows the machine for a while slows no single peer. The short ones first, in half
 * of the time, so that one that takes minutes does not cost all others their repetitions.
 */
async function measureCells(
  runner: Runner,
  options: BenchOptions,
  { until, known }: { until: number; known: readonly MeasuredCell[] },
): Promise<MeasuredCell[]> {
  const cells = cellsOf(options).map((cell) => ({ ...cell, samples: [] as Sample[] }));
  const half = (Date.now() + until) / 2;
  for (const phase of [
    { until: half, longestMs: SHORT_MS },
    { until, longestMs: Number.POSITIVE_INFINITY },
  ])
    for (let round = 0; round < options.runs; round += 1)
      for (const cell of cells) {
        const expected = expectedMs(cell, [...known, ...cells]);
        const fits = expected <= phase.longestMs && Date.now() + expected < phase.until;
        if (cell.samples.length === round && fits) cell.samples.push(await sampleOf(cell, runner));
      }
  return cells;
}

async function sampleOf(cell: Cell, runner: Runner): Promise<Sample> {
  const sample = await runner.measure(cell);
  const { peer, hosts, roundTrip, mode } = cell;
  process.stderr.write(
    `${mode}, ${hosts} hosts, ${roundTrip} ms: ${peer} ${sample.ms} ms (CPU ${sample.cpuMs})\n`,
  );
  return sample;
}

const shareUpTo = (index: number, of: number): number =>
  of === 1 ? 1 : FIRST_SHARE + ((1 - FIRST_SHARE) * index) / (of - 1);

function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} cores (${first?.model.trim() ?? "unknown"}), ${memory} GiB, Linux ${release()}; the hosts share it`;
}

if (process.argv.includes("--help")) process.stdout.write(usage);
else await bench(benchOptions(process.argv.slice(2)));
