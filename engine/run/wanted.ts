import { isRef } from "../dsl/ref.ts";
import type { PlanNode } from "../plan/plan.ts";
import { playbookCode } from "../plan/play.ts";
import { type RunContext, resolveFor } from "./context.ts";
import { limitsOf, withLimits } from "./deadline.ts";
import { reach } from "./unreached.ts";

/** Whether a node's `when` holds; true where it has none. */
export async function isWanted(node: PlanNode, context: RunContext): Promise<boolean> {
  const { when, at } = node.step;
  if (when === undefined) return true;
  if (isRef(when)) return resolveFor(node, when, context) === true;
  const limits = limitsOf(node, context, () => ({}));
  const { facts } = await withLimits(limits, () => reach(node.host.name, context));
  return playbookCode(at, () => when(facts, node.host));
}
