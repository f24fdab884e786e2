import type { PlanNode } from "../plan/plan.ts";
import { whyLasting } from "../plan/undo.ts";
import type { Ancestors } from "./ancestors.ts";
import type { ChangedNode } from "./changed.ts";

/** A changed node, with the plan's node that it is; undefined where the playbook has none any more. */
export interface Undoable extends ChangedNode {
  readonly node: PlanNode | undefined;
}

/** Why a node is not undone; undefined where it is. */
export type Staying = ReadonlyMap<Undoable, string>;

/** What cannot be undone, and what has to stay because that depends on it. */
export function staying(changed: readonly Undoable[], ancestors: Ancestors): Staying {
  const stays = new Map<Undoable, string>();
  for (const one of changed) {
    const why = whyNot(one);
    if (why !== undefined) stays.set(one, why);
  }
  for (const { step, host } of [...stays.keys()])
    for (const other of changed) {
      const reach = ancestors.get(step)?.get(other.step);
      const isNeeded = reach === "all" || (reach === "each" && other.host === host);
      if (isNeeded && !stays.has(other)) stays.set(other, `"${step}" on ${host} depends on it`);
    }
  return stays;
}

function whyNot({ node, keeping }: Undoable): string | undefined {
  if (node === undefined) return "the playbook has no such step there any more";
  const { work } = node;
  if (work.kind !== "action") return "it is a gate now";
  const lasting = whyLasting(work.module);
  if (lasting !== undefined) return lasting;
  if (keeping === undefined) return "what it found was not kept";
  return "unkept" in keeping ? `what it found was not kept: ${keeping.unkept}` : undefined;
}
