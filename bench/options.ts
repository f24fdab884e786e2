import { parseArgs } from "node:util";
import { type PeerName, peerNames } from "./peers/peer.ts";

export const modes = ["no-op", "first run"] as const;
/** Nothing to do on any host, or everything. */
export type Mode = (typeof modes)[number];

export interface BenchOptions {
  readonly hosts: readonly number[];
  /** Round trips, ms. */
  readonly roundTrips: readonly number[];
  readonly modes: readonly Mode[];
  readonly peers: readonly PeerName[];
  /** How often each cell is measured, where the budget allows. */
  readonly runs: number;
  readonly budgetMs: number;
  /** How many simulated hosts, for what grows with their number; none to leave that out. */
  readonly scale: readonly number[];
  /** MB of the file that goes to and fro beside scp; 0 to leave that out. */
  readonly transfer: number;
  /** Whether bootstrap.ts is run, too, for the engine's share of it. */
  readonly bootstrap: boolean;
  /** Into docs/. */
  readonly write: boolean;
  /** Leave the lab up. */
  readonly keep: boolean;
}

export const usage = `npm run bench -- [options]
  --hosts 1,10,50      how many hosts
  --rtt 0,50,100       round trips to them, in ms
  --modes no-op,first-run
  --peers ${peerNames.map(word).join(",")}
  --runs 5             how often each is measured, where the budget allows
  --budget 25          minutes for these; what does not fit is said to be missing
  --scale 10,100,500,2000
                       simulated hosts, for time and memory; "" leaves that out
  --transfer 200       MB of a file, for transfers beside scp; 0 leaves that out
  --bootstrap          run bootstrap.ts on a lab as well, for the engine's share of it
  --write              write docs/benchmarks.{json,md,svg}
  --keep               leave the lab up
`;

export function benchOptions(args: readonly string[]): BenchOptions {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      hosts: text("1,10,50"),
      rtt: text("0,50,100"),
      modes: text("no-op,first-run"),
      peers: text(peerNames.map(word).join(",")),
      runs: text("5"),
      budget: text("25"),
      scale: text("10,100,500,2000"),
      transfer: text("200"),
      bootstrap: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
    },
  });
  const { hosts, rtt, runs, budget, scale, transfer, bootstrap, write, keep } = values;
  return {
    hosts: numbers(hosts),
    roundTrips: numbers(rtt),
    modes: chosen(values.modes, modes),
    peers: chosen(values.peers, peerNames),
    runs: Number(runs),
    budgetMs: Number(budget) * 60_000,
    scale: scale === "" ? [] : numbers(scale),
    transfer: Number(transfer),
    bootstrap,
    write,
    keep,
  };
}

const numbers = (list: string): number[] => list.split(",").map(Number);

function word(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z]+/g, "-");
}

function chosen<T extends string>(list: string, of: readonly T[]): T[] {
  return list.split(",").map((given) => {
    const found = of.find((name) => word(name) === given);
    if (found === undefined) throw new Error(`"${given}" is none of ${of.map(word).join(", ")}`);
    return found;
  });
}
