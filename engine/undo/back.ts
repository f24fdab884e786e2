import type { Need, PlanNode } from "../plan/plan.ts";
import type { Ancestors } from "./ancestors.ts";
import { madeFrom, type Undone, waitFor } from "./made.ts";
import { undoing } from "./modules.ts";

export const undoLabel = (step: string): string => `undo ${step}`;

/**
 * The nodes that go back: each waits for all that depend on it, and for what was done on its host after it. `undone` is
 * in the order in which that happens.
 */
export function backNodes(undone: readonly Undone[], ancestors: Ancestors): PlanNode[] {
  const labels = Array.from(new Set(undone.map(({ step }) => step)));
  const last = new Map<string, Undone>();
  return undone.map((one) => {
    const { actsOn } = one.node;
    const newer = last.get(actsOn);
    last.set(actsOn, one);
    const needs = [
      ...labels.flatMap((label): Need[] => {
        const scope = ancestors.get(label)?.get(one.step);
        return scope === undefined ? [] : [{ step: undoLabel(label), kind: "after", scope }];
      }),
      ...(newer === undefined ? [] : [waitFor(undoLabel(newer.step), newer)]),
    ];
    return madeFrom(one, { label: undoLabel(one.step), module: undoing, needs });
  });
}
