import type { Keeping } from "../converge/kept.ts";
import { isChanged, type NodeRecord, type RunRecord } from "../journal/record.ts";

/** What a run changed on one host, and by what that is undone. */
export interface ChangedNode {
  readonly step: string;
  readonly host: string;
  /** When it first began to change something, ms since the epoch. */
  readonly at: number;
  /** In which run that was: the record lies under its name. */
  readonly run: string;
  /** Undefined where the module had no undo then. */
  readonly keeping: Keeping | undefined;
}

/**
 * What a run, and those that it goes on with, changed and did not undo itself. Oldest run first: what a node found before
 * its very first change is what it goes back to.
 */
export function changedNodes(runs: readonly RunRecord[]): ChangedNode[] {
  const changed = new Map<string, ChangedNode>();
  for (const { begun, nodes } of runs)
    for (const node of nodes) {
      const id = `${node.step}\0${node.host}`;
      if (node.ended?.undone === true) changed.delete(id);
      else if (isChanged(node) && !changed.has(id)) changed.set(id, changedNode(begun, node));
    }
  return [...changed.values()];
}

const changedNode = (
  { run, at }: RunRecord["begun"],
  { step, host, startedAt = at, keeping }: NodeRecord,
): ChangedNode => ({ step, host, at: startedAt, run, keeping });
