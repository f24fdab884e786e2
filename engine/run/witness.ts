import type { Change } from "../dsl/change.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import type { Secrets } from "../plan/secrets.ts";
import type { Ended } from "./ended.ts";

/** What a node's host was found to be, and what is to be changed because of it. */
export interface Finding {
  /** What the module's read gave: anything, secrets of the host among it. */
  readonly now: unknown;
  /** Params, parsed. */
  readonly want: Readonly<Record<string, unknown>>;
  readonly changes: readonly Change[];
}

/**
 * Stands beside a run and hears of each node before the engine goes on: a journal writes down, a plan file compares.
 * Every answer is awaited; one that rejects fails the node, and nothing more is changed there. Nodes that are only read
 * (outside --limit) are not told.
 */
export interface Witness {
  /** Once everything is known that is needed, before the first connection; one that rejects ends the run there. */
  begins?(plan: Plan, secrets: Secrets): Promise<void>;
  /** After the first read of each attempt, also where nothing differs, and under --check; nothing is changed yet. */
  found?(node: PlanNode, finding: Finding): Promise<void>;
  /** Before one change is made, counted from 0 within its attempt: when this resolves, the change begins. */
  changing?(node: PlanNode, index: number, change: Change): Promise<void>;
  /** Once it was made. */
  changed?(node: PlanNode, index: number): Promise<void>;
  /** Before one change back, counted from 0, of a node that failed and is undone. */
  undoing?(node: PlanNode, index: number, change: Change): Promise<void>;
  /** Once that was made. */
  undone?(node: PlanNode, index: number): Promise<void>;
  /** However it ended: skipped without ever starting, too. What depends on it starts afterwards. */
  ended?(node: PlanNode, ended: Ended): void;
}

/** Several as one, asked in turn: the first that refuses is the one that is heard. */
export const together = (witnesses: readonly Witness[]): Required<Witness> => ({
  async begins(plan, secrets) {
    for (const witness of witnesses) await witness.begins?.(plan, secrets);
  },
  async found(node, finding) {
    for (const witness of witnesses) await witness.found?.(node, finding);
  },
  async changing(node, index, change) {
    for (const witness of witnesses) await witness.changing?.(node, index, change);
  },
  async changed(node, index) {
    for (const witness of witnesses) await witness.changed?.(node, index);
  },
  async undoing(node, index, change) {
    for (const witness of witnesses) await witness.undoing?.(node, index, change);
  },
  async undone(node, index) {
    for (const witness of witnesses) await witness.undone?.(node, index);
  },
  ended(node, ended) {
    for (const witness of witnesses) witness.ended?.(node, ended);
  },
});
