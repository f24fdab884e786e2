import type { Clock } from "../converge/clock.ts";
import type { Transport } from "../host/connection.ts";
import type { Plan } from "../plan/plan.ts";
import type { Emit } from "../report/event.ts";
import type { LastTook } from "./left.ts";
import type { Earlier } from "./verdict.ts";
import type { Witness } from "./witness.ts";

export type { Clock };

/** What one execution is given from outside: everything that is not in the playbook or the inventory. */
export interface RunOptions {
  /** How the run is named on hosts and in journals; a new one unless given. */
  readonly id?: string;
  /** The runs that this one goes on with, which are dead: hosts that they still hold are taken over. */
  readonly resumes?: readonly string[];
  /** "check" reads and diffs everywhere and changes nothing. */
  readonly mode: "apply" | "check";
  /** What is run: what plan() gave for the same playbook and inventory, or what was made of it. Made anew unless given. */
  readonly plan?: Plan;
  /** How many hosts are worked on at once; 50 unless given. */
  readonly forks?: number;
  /** Only these hosts: names or groups. */
  readonly limit?: readonly string[];
  /** Only these steps and what they depend on. */
  readonly only?: readonly string[];
  readonly emit: Emit;
  /** First abort: stop at the next safe point. Its reason is a StopReason; interrupted where it has none. */
  readonly stop: AbortSignal;
  /** Second abort: cut at once. */
  readonly cut: AbortSignal;
  /** By kind of host: ssh for the inventory's, local for the control machine. */
  readonly transports: { readonly ssh: Transport; readonly local: Transport };
  readonly clock: Clock;
  /** Who runs it, and on which control machine: what a host's lock says. Without it no host is locked. */
  readonly operator?: { readonly user: string; readonly machine: string };
  /** Who hears of every node before the engine goes on, in the order in which they are asked. */
  readonly witnesses?: readonly Witness[];
  /** How long nodes took before, to say how long what a stopped run leaves will take: asked for only then. */
  readonly lastTook?: () => Promise<LastTook>;
  /** What runs that this one goes on with left behind. */
  readonly earlier?: Earlier;
  /** Looks at every node as under --check, before the first change is made; what it finds is told to this one only. */
  readonly lookFirst?: Witness;
  /** Asks the operator for a secret; undefined, or not given, where nobody is there to answer. */
  readonly ask?: (question: string) => Promise<string | undefined>;
}
