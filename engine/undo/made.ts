import type { Action, ModuleSpec } from "../dsl/module.ts";
import type { DeclaredAction } from "../dsl/step.ts";
import type { Need, PlanNode } from "../plan/plan.ts";
import type { Recorded } from "./modules.ts";
import type { Undoable } from "./stays.ts";

/** A node that is undone. */
export interface Undone extends Undoable {
  readonly node: PlanNode;
  readonly sha256: string;
}

/** What becomes of an undone node in the plan that undoes it. */
export interface Making {
  readonly label: string;
  readonly module: (of: ModuleSpec, recorded: Recorded) => ModuleSpec;
  readonly needs: readonly Need[];
}

/**
 * A node of that plan. Whether it was wanted then, and how often it was tried, is of no matter for the way back.
 */
export function madeFrom(
  { node, run, step, host, sha256 }: Undone,
  { label, module, needs }: Making,
): PlanNode {
  const { module: of, at } = node.work as Action;
  const made = module(of, { run, step, host, sha256 });
  const work: Action = { kind: "action", module: made, params: {}, at };
  const declared: DeclaredAction = {
    ...(node.step as DeclaredAction),
    label,
    edges: [],
    when: undefined,
    rolling: undefined,
    batchGate: undefined,
    retries: { times: 0, delayMs: 0 },
    undoOnFail: false,
  };
  return { ...node, step: declared, work, needs };
}

/** Waits for one node of that plan, on whatever host. */
export const waitFor = (step: string, { host }: { readonly host: string }): Need => ({
  step,
  kind: "after",
  scope: "each",
  host,
});
