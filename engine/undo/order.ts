import { nodeId, type PlanNode } from "../plan/plan.ts";
import type { Ancestors } from "./ancestors.ts";
import type { ChangedNode } from "./changed.ts";

type Ordered = ChangedNode & { readonly node: PlanNode };

/**
 * Newest first. A run that was resumed may have changed a step for the first time after those that depend on it: whatever
 * came first, what a node depends on counts as older than it.
 */
export function inOrder<T extends Ordered>(nodes: readonly T[], ancestors: Ancestors): T[] {
  const steps = new Set(nodes.map(({ step }) => step));
  const places = new Map<string, number>();
  const ranked = nodes.toSorted((one, other) => other.node.rank - one.node.rank);
  const oldest = new Map<string, number>();
  for (const one of ranked) {
    const after = Array.from(steps).flatMap((step) => {
      const reach = ancestors.get(step)?.get(one.step);
      if (reach === undefined) return [];
      return (reach === "all" ? oldest.get(step) : places.get(nodeId(step, one.host))) ?? [];
    });
    const own = Math.min(one.order, ...after);
    places.set(nodeId(one.step, one.host), own);
    oldest.set(one.step, Math.min(own, oldest.get(one.step) ?? own));
  }
  const place = ({ step, host }: T) => places.get(nodeId(step, host)) ?? 0;
  return ranked.toSorted((one, other) => place(other) - place(one));
}
