import type { Wish } from "../converge/converge.ts";
import type { Manner } from "../converge/reached.ts";
import type { Before } from "../converge/undo.ts";
import type { DeclaredAction } from "../dsl/step.ts";
import type { PlanNode } from "../plan/plan.ts";
import type { RunContext } from "./context.ts";
import type { Ended } from "./ended.ts";

/** What one node has done so far. */
export interface Progress {
  /** Changes begun, over every attempt. */
  changes: number;
  /** What is to be said of the host while a guarded change is not settled. */
  doubt?: string | undefined;
  /** What the first attempt's first read found, and with which params. */
  before?: Before & { readonly want: Wish["want"] };
  /** How the last attempt failed. */
  failure?: unknown;
  /** Settles once nothing of it runs any more, also where it was not waited for. */
  work?: Promise<Ended>;
}

/** A run's context with what one node has done so far. */
export interface ActionContext extends RunContext {
  readonly progress: Progress;
}

/** One node at work, until its deadline. */
export interface Attempting {
  readonly node: PlanNode;
  readonly step: DeclaredAction;
  readonly context: ActionContext;
  readonly deadline: number;
  readonly signal: AbortSignal;
}

/** How a step acts on a host. */
export const mannerOf = ({ step, context, deadline, signal }: Attempting): Manner => ({
  as: step.as,
  env: step.env,
  left: () => deadline - context.clock.steady(),
  signal,
});

/** For what nobody need hear of. */
export const unheard = async () => undefined;
