import type { Keeping } from "../converge/kept.ts";
import { isChanged, type NodeRecord, type RunRecord } from "../journal/record.ts";

/** What a run changed on one host, and by what that is undone. */
export interface ChangedNode {
  readonly step: string;
  readonly host: string;
  /** Its place among all: what was first changed later has a higher one. */
  readonly order: number;
  /** In which run it was first changed: the record lies under its name. */
  readonly run: string;
  /** Undefined where the module had no undo then. */
  readonly keeping: Keeping | undefined;
}

/**
 * What a run, and those that it goes on with, changed and did not undo itself. Oldest run first: what a node found before
 * its very first change is what it goes back to. Runs come one after another, and so do the entries of a journal,
 * whatever clocks say.
 */
export function changedNodes(runs: readonly RunRecord[]): ChangedNode[] {
  const first = new Map<string, Omit<ChangedNode, "order">>();
  for (const { begun, nodes } of runs)
    for (const node of nodes.toSorted(bySince)) {
      const { step, host, keeping, ended } = node;
      const id = `${step}\0${host}`;
      if (ended?.undone === true) first.delete(id);
      else if (isChanged(node) && !first.has(id))
        first.set(id, { step, host, run: begun.run, keeping });
    }
  return Array.from(first.values(), (one, order) => ({ ...one, order }));
}

const bySince = ({ since: one = 0 }: NodeRecord, { since: other = 0 }: NodeRecord) => one - other;
