/** What the engine is to reach, beside what it reached. */
import type { Scale } from "./fleet/scale.ts";
import { medianMs } from "./matrix.ts";
import { median } from "./measure.ts";
import type { PeerName } from "./peers/peer.ts";
import type { BenchResult } from "./result.ts";
import { roundTripsOf } from "./round-trips.ts";
import { checks } from "./workload.ts";

interface Goal {
  readonly goal: string;
  /** Undefined where it was not measured. */
  readonly measured: string | undefined;
  readonly met: boolean;
  /** What stands in the way where it is missed, as far as that is known. */
  readonly why?: string;
}

/** goal, measured, whether it is met */
export const goalRows = (result: BenchResult): string[][] =>
  goalsOf(result).map(({ goal, measured, met }) => [
    goal,
    measured ?? "not measured",
    measured === undefined ? "" : met ? "met" : "missed",
  ]);

/** Each goal that is missed, with the reason. */
export const missed = (result: BenchResult): string[] =>
  goalsOf(result)
    .filter(({ measured, met }) => measured !== undefined && !met)
    .map(({ goal, measured, why }) => `${goal}: ${measured}. ${why ?? "Why is not known yet."}`);

function goalsOf(result: BenchResult): Goal[] {
  return [
    ...[10, 50].flatMap((hosts) => ratioGoals(result, hosts)),
    roundTripGoal(result),
    firstConnectionGoal(result),
    ...scaleGoals(result),
    bootstrapGoal(result),
    ...transferGoals(result),
  ];
}

const START =
  "The floor knows its work and its hosts beforehand. Here a start loads the engine, compiles the playbook and the " +
  "inventory, plans, and begins a journal on the disk, on one core while nothing is connected yet; a host is locked " +
  "and asked for its facts, some seven programs beside the floor's three. The first weighs most on few hosts.";
const SHARED =
  "Each size is measured once, and on the clock the simulated hosts count, too, who share the processors with the engine. " +
  "The table below has the engine's own processor time for a further node beside it.";
const HASHES =
  "What goes over is hashed at both ends, which scp leaves undone, and here both ends and sshd share two cores: the " +
  "host reads the file once more after the last byte has arrived.";

const AGAINST: readonly (readonly [PeerName, number])[] = [
  ["Ansible", 20],
  ["Ansible + mitogen", 5],
  ["pyinfra", 3],
];

function ratioGoals(result: BenchResult, hosts: number): Goal[] {
  const ours = noDelay(result, "run-playbook", hosts);
  const floor = noDelay(result, "floor", hosts);
  const overFloor = ours / floor;
  return [
    {
      goal: `${hosts} hosts, nothing to do: at most 1.5 times the floor`,
      measured: shown(overFloor),
      met: overFloor <= 1.5,
      why: START,
    },
    ...AGAINST.map(([peer, times]): Goal => {
      const ratio = noDelay(result, peer, hosts) / ours;
      return {
        goal: `${hosts} hosts, nothing to do: at least ${times} times faster than ${peer}`,
        measured: shown(ratio),
        met: ratio >= times,
      };
    }),
  ];
}

const shown = (ratio: number): string | undefined =>
  Number.isNaN(ratio) ? undefined : `${ratio.toPrecision(3)} times`;

function noDelay({ cells }: BenchResult, peer: PeerName, hosts: number): number {
  const cell = cells.find(
    (each) =>
      each.peer === peer && each.hosts === hosts && each.roundTrip === 0 && each.mode === "no-op",
  );
  return cell === undefined ? Number.NaN : medianMs(cell);
}

function roundTripGoal(result: BenchResult): Goal {
  const trips = new Map(roundTripsOf(result).map(({ peer, trips }) => [peer, trips]));
  const [ours, connect] = [trips.get("run-playbook"), trips.get("connect")];
  const after = ours === undefined || connect === undefined ? undefined : ours - connect;
  return {
    goal: "20 independent reads: at most connect + 3 round trips",
    measured: after === undefined ? undefined : `connect + ${after.toFixed(1)}`,
    // The slope has the noise of both medians.
    met: after !== undefined && after < 3.25,
  };
}

function firstConnectionGoal({ firstConnectionMs }: BenchResult): Goal {
  const ms = median(firstConnectionMs);
  return {
    goal: "command line to first connection: under 300 ms",
    measured: Number.isNaN(ms) ? undefined : `${Math.round(ms)} ms`,
    met: ms < 300,
  };
}

function scaleGoals({ scale }: BenchResult): Goal[] {
  const [least, next] = scale;
  const most = scale.at(-1);
  const before = scale.at(-2);
  if (!least || !next || !most || !before) return [];
  const growth = perNode(before, most, "ms") / perNode(least, next, "ms");
  return [
    {
      goal: `${most.hosts} hosts in 1 GiB`,
      measured: `${most.peakMiB} MiB`,
      met: most.peakMiB <= 1024,
    },
    {
      goal: `time per further node the same from ${least.hosts} to ${most.hosts} hosts`,
      measured: `${growth.toFixed(2)} times`,
      // What is the same is so within what two runs differ by.
      met: growth <= 1.2,
      why: SHARED,
    },
  ];
}

/** ms for each further node between two sizes, on the clock or of a processor. */
export const perNode = (less: Scale, more: Scale, time: "ms" | "cpuMs"): number =>
  (more[time] - less[time]) / ((more.hosts - less.hosts) * checks);

const transferGoals = ({ transfers }: BenchResult): Goal[] =>
  transfers.map(({ what, ours, scp }) => ({
    goal: `${what}: at least 80 % of scp's rate`,
    measured: `${Math.round((100 * ours) / scp)} %`,
    met: ours / scp >= 0.8,
    why: HASHES,
  }));

function bootstrapGoal({ bootstrap }: BenchResult): Goal {
  const share = bootstrap === undefined ? Number.NaN : bootstrap.cpuMs / bootstrap.ms;
  return {
    goal: "the engine's own share of bootstrap.ts: below 10 %",
    measured: bootstrap === undefined ? undefined : `${(100 * share).toFixed(1)} % at most`,
    met: share < 0.1,
  };
}
