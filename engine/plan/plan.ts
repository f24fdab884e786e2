import type { HostEntry } from "../dsl/inventory.ts";
import type { Action, Condition } from "../dsl/module.ts";
import type { RefScope } from "../dsl/ref.ts";
import type { DeclaredStep, PlayHost } from "../dsl/step.ts";
import type { Graph } from "../graph/graph.ts";

/**
 * What a node waits for: `all` hosts of a step (`one` where it has only one), or `each`, the same host only. `data` is
 * an edge that a ref made; the others are those that the step declared.
 */
export interface Need {
  readonly step: string;
  readonly kind: "after" | "onChange" | "onFail" | "data";
  readonly scope: RefScope;
  /** For `each`: another host than the node's own. */
  readonly host?: string;
}

/** One step on one host. */
export interface PlanNode {
  readonly step: DeclaredStep;
  /** The host that it is for. */
  readonly host: PlayHost;
  /** Where it acts: another host under `via`. */
  readonly actsOn: string;
  readonly work: Action | Condition;
  readonly needs: readonly Need[];
  /** Its place in the one order that the declarations give. */
  readonly rank: number;
  /** Outside --limit, kept because its outputs are needed: it is read, and never changed. */
  readonly readOnly: boolean;
}

/** A playbook over an inventory, checked as far as it can be before any connection. */
export interface Plan {
  readonly playbook: string;
  /** In topological order, those declared first coming first. */
  readonly steps: readonly DeclaredStep[];
  /** By step, and by host within a step. */
  readonly nodes: readonly PlanNode[];
  /** Which step waits for which. */
  readonly graph: Graph;
  readonly inventory: Readonly<Record<string, HostEntry>>;
  /** What --limit and --only left out, in words. */
  readonly leftOut: readonly string[];
  /** What the operator is asked before anything is touched. */
  readonly question: string | undefined;
}

/** How a node is named: unique, and readable. */
export const nodeId = (step: string, host: string): string => `${step} @ ${host}`;
