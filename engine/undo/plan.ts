import type { DeclaredAction } from "../dsl/step.ts";
import { buildGraph } from "../graph/graph.ts";
import { nodeId, type Plan, type PlanNode } from "../plan/plan.ts";
import { batchSizes } from "../plan/rolling.ts";
import { ancestorsOf } from "./ancestors.ts";
import { backNodes } from "./back.ts";
import type { ChangedNode } from "./changed.ts";
import type { Undone } from "./made.ts";
import { inOrder } from "./order.ts";
import { renewedNodes } from "./renewed.ts";
import { staying, type Undoable } from "./stays.ts";

/** How a run is undone. */
export interface UndoPlan {
  readonly plan: Plan;
  /** What is not undone, and why, in words. */
  readonly stays: readonly string[];
  /** How many hosts may be worked on at once, where a step that is undone rolls: as many as its widest batch. */
  readonly forks: number | undefined;
}

/**
 * The plan that undoes what a run changed, newest first; a failure on the way stops what would come next. What runs from
 * files that were undone is renewed in the end.
 */
export function undoPlan(plan: Plan, changed: readonly ChangedNode[]): UndoPlan {
  const nodes = new Map(plan.nodes.map((node) => [nodeId(node.step.label, node.host.name), node]));
  const ancestors = ancestorsOf(plan);
  const undoable = changed.map((one) => ({ ...one, node: nodes.get(nodeId(one.step, one.host)) }));
  const stays = staying(undoable, ancestors);
  const undone = inOrder(
    undoable.flatMap((one) => (stays.has(one) ? [] : undoneNode(one))),
    ancestors,
  );
  const made = [...backNodes(undone, ancestors), ...renewedNodes(plan, undone)];
  return {
    plan: planOf(
      plan,
      made.map((node, rank) => ({ ...node, rank })),
    ),
    stays: Array.from(stays, ([{ step, host }, why]) => `"${step}" stays on ${host}: ${why}`),
    forks: widest(plan, undone),
  };
}

const undoneNode = (one: Undoable): Undone[] =>
  one.node !== undefined && one.keeping !== undefined && "sha256" in one.keeping
    ? [{ ...one, node: one.node, sha256: one.keeping.sha256 }]
    : [];

function planOf({ playbook, inventory }: Plan, nodes: readonly PlanNode[]): Plan {
  const steps = new Map(nodes.map(({ step }) => [step.label, step]));
  const edges = nodes.flatMap(({ step, needs }) =>
    needs
      .filter((need) => need.step !== step.label)
      .map((need) => ({ from: need.step, to: step.label })),
  );
  return {
    playbook: `undo of ${playbook}`,
    steps: [...steps.values()],
    nodes,
    graph: buildGraph([...steps.keys()], edges),
    inventory,
    leftOut: [],
    question: undefined,
  };
}

// Whoever says that so many hosts may change at once says it of the way back, too.
function widest(plan: Plan, undone: readonly Undone[]): number | undefined {
  const rolling = Map.groupBy(plan.nodes, ({ step }) => step.label);
  const widths = Array.from(new Set(undone.map(({ node }) => node.step as DeclaredAction))).flatMap(
    (step) => {
      if (step.rolling === undefined) return [];
      return Math.max(...batchSizes(step.rolling, rolling.get(step.label)?.length ?? 1));
    },
  );
  return widths.length === 0 ? undefined : Math.min(...widths);
}
