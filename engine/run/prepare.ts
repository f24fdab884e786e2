import type { Reached } from "../converge/reached.ts";
import type { Action } from "../dsl/module.ts";
import type { DeclaredAction } from "../dsl/step.ts";
import { parseParams } from "../plan/action-params.ts";
import type { PlanNode } from "../plan/plan.ts";
import { type RunContext, resolveFor } from "./context.ts";
import { reach } from "./unreached.ts";

/** What a node works with: its host, reached, and its params, every ref in them resolved. */
export interface Prepared {
  readonly on: Reached;
  readonly want: Record<string, unknown>;
}

export async function prepare(
  node: PlanNode,
  step: DeclaredAction,
  context: RunContext,
): Promise<Prepared> {
  const work = node.work as Action;
  const on = await reach(node.actsOn, context);
  const params = resolveFor(node, work.params, context);
  return { on, want: parseParams(work, params, step.label) };
}
