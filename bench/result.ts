/** What one run of the benchmark gives, as it is kept in docs/benchmarks.json. */
import type { BootstrapShare } from "./bootstrap.ts";
import type { Scale } from "./fleet/scale.ts";
import type { Mode } from "./options.ts";
import type { PeerName } from "./peers/peer.ts";
import type { Transfer } from "./transfer.ts";

/** One thing to measure. */
export interface Cell {
  /** "connect" is the floor without any work. */
  readonly peer: PeerName | "connect";
  readonly hosts: number;
  /** ms. */
  readonly roundTrip: number;
  readonly mode: Mode;
}

export interface Sample {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface MeasuredCell extends Cell {
  readonly samples: readonly Sample[];
}

export interface BenchResult {
  /** Day of the run. */
  readonly date: string;
  readonly machine: string;
  readonly runs: number;
  readonly budgetMinutes: number;
  readonly peers: readonly {
    readonly name: PeerName;
    readonly version: string;
    readonly settings: string;
  }[];
  readonly cells: readonly MeasuredCell[];
  /** From the command line to the first connection, ms. */
  readonly firstConnectionMs: readonly number[];
  /** On more and more simulated hosts. */
  readonly scale: readonly Scale[];
  /** Beside scp. */
  readonly transfers: readonly Transfer[];
  readonly bootstrap?: BootstrapShare;
}

export const sameCell = (a: Cell, b: Cell): boolean =>
  a.peer === b.peer && a.hosts === b.hosts && a.roundTrip === b.roundTrip && a.mode === b.mode;
