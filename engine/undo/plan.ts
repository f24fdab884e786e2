import type { Action, ModuleSpec } from "../dsl/module.ts";
import type { DeclaredAction } from "../dsl/step.ts";
import { buildGraph } from "../graph/graph.ts";
import { type Need, nodeId, type Plan, type PlanNode } from "../plan/plan.ts";
import { ancestorsOf, type Reach } from "./ancestors.ts";
import type { ChangedNode } from "./changed.ts";
import { renewing, undoing } from "./modules.ts";
import { inOrder } from "./order.ts";
import { staying, type Undoable } from "./stays.ts";

/** How a run is undone. */
export interface UndoPlan {
  readonly plan: Plan;
  /** What is not undone, and why, in words. */
  readonly stays: readonly string[];
}

/** A node that is undone. */
interface Undone extends Undoable {
  readonly node: PlanNode;
  readonly sha256: string;
}

/**
 * The plan that undoes what a run changed. Newest first: a node waits for all that depend on it, and for what was done
 * on its host after it; a failure on the way stops what would come next. What runs from files that were undone is
 * renewed in the end, in the order of the playbook.
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
  const back = undone.map(backNode(undone, ancestors));
  const made = [...back, ...renewedNodes(undone)].map((node, rank) => ({ ...node, rank }));
  const steps = new Map(made.map(({ step }) => [step.label, step]));
  return {
    plan: {
      playbook: `undo of ${plan.playbook}`,
      steps: [...steps.values()],
      nodes: made,
      graph: buildGraph([...steps.keys()], edgesOf(made)),
      inventory: plan.inventory,
      leftOut: [],
      question: undefined,
    },
    stays: Array.from(stays, ([{ step, host }, why]) => `"${step}" stays on ${host}: ${why}`),
  };
}

const undoneNode = (one: Undoable): Undone[] =>
  one.node !== undefined && one.keeping !== undefined && "sha256" in one.keeping
    ? [{ ...one, node: one.node, sha256: one.keeping.sha256 }]
    : [];

const undoLabel = (step: string) => `undo ${step}`;

/** A node that goes back, in a plan of such nodes. */
function backNode(
  undone: readonly Undone[],
  ancestors: ReadonlyMap<string, ReadonlyMap<string, Reach>>,
) {
  const before = beforeOnHost(undone);
  const labels = Array.from(new Set(undone.map(({ step }) => step)));
  return (one: Undone): PlanNode => {
    const dependents = labels.flatMap((label): Need[] => {
      const reach = ancestors.get(label)?.get(one.step);
      if (reach === undefined) return [];
      return [{ step: undoLabel(label), kind: "after", scope: reach }];
    });
    const last = before.get(one);
    const newer = last === undefined ? [] : [waitFor(undoLabel(last.step), last)];
    return madeFrom(one, undoLabel(one.step), undoing, [...dependents, ...newer]);
  };
}

// In the order of the playbook again: what was undone last was done first.
function renewedNodes(undone: readonly Undone[]): PlanNode[] {
  const last = new Map(undone.map((one) => [one.node.actsOn, waitFor(undoLabel(one.step), one)]));
  return undone.toReversed().flatMap((one): PlanNode[] => {
    if ((one.node.work as Action).module.renew === undefined) return [];
    const { actsOn } = one.node;
    const label = `renew ${one.step}`;
    const made = madeFrom(one, label, renewing, [last.get(actsOn) ?? []].flat());
    last.set(actsOn, waitFor(label, one));
    return [made];
  });
}

const waitFor = (step: string, { host }: { readonly host: string }): Need => ({
  step,
  kind: "after",
  scope: "each",
  host,
});

/** For each the one that goes back before it on the same host. */
function beforeOnHost(undone: readonly Undone[]): ReadonlyMap<Undone, Undone> {
  const last = new Map<string, Undone>();
  return new Map(
    undone.flatMap((one) => {
      const before = last.get(one.node.actsOn);
      last.set(one.node.actsOn, one);
      return before === undefined ? [] : [[one, before] as const];
    }),
  );
}

function madeFrom(
  { node, run, step, host, sha256 }: Undone,
  label: string,
  make: (module: ModuleSpec, recorded: Parameters<typeof undoing>[1]) => ModuleSpec,
  needs: readonly Need[],
): PlanNode {
  const { module, at } = node.work as Action;
  const work = {
    kind: "action",
    module: make(module, { run, step, host, sha256 }),
    params: {},
    at,
  };
  return { ...node, step: stepOf(node.step as DeclaredAction, label), work: work as Action, needs };
}

// Whether it was wanted then, how often it was tried and in which batches is of no matter for the way back.
const stepOf = (step: DeclaredAction, label: string): DeclaredAction => ({
  ...step,
  label,
  edges: [],
  when: undefined,
  rolling: undefined,
  retries: { times: 0, delayMs: 0 },
  undoOnFail: false,
});

const edgesOf = (nodes: readonly PlanNode[]) =>
  nodes.flatMap(({ step, needs }) => {
    const from = needs.filter((need) => need.step !== step.label);
    return from.map((need) => ({ from: need.step, to: step.label }));
  });
