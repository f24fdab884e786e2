import type { Clock } from "../converge/clock.ts";
import type { Transport } from "../host/connection.ts";
import type { Emit } from "../report/event.ts";
import type { Witness } from "./witness.ts";

export type { Clock };

/** What one execution is given from outside: everything that is not in the playbook or the inventory. */
export interface RunOptions {
  /** How the run is named on hosts and in journals; a new one unless given. */
  readonly id?: string;
  /** "check" reads and diffs everywhere and changes nothing. */
  readonly mode: "apply" | "check";
  /** How many hosts are worked on at once; 50 unless given. */
  readonly forks?: number;
  /** Only these hosts: names or groups. */
  readonly limit?: readonly string[];
  /** Only these steps and what they depend on. */
  readonly only?: readonly string[];
  readonly emit: Emit;
  /** First abort: stop at the next safe point. */
  readonly stop: AbortSignal;
  /** Second abort: cut at once. */
  readonly cut: AbortSignal;
  /** By kind of host: ssh for the inventory's, local for the control machine. */
  readonly transports: { readonly ssh: Transport; readonly local: Transport };
  readonly clock: Clock;
  /** Who hears of every node before the engine goes on, in the order in which they are asked. */
  readonly witnesses?: readonly Witness[];
  /** Looks at every node as under --check, before the first change is made; what it finds is told to this one only. */
  readonly lookFirst?: Witness;
  /** Asks the operator for a secret; undefined, or not given, where nobody is there to answer. */
  readonly ask?: (question: string) => Promise<string | undefined>;
}
