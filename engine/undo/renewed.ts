import type { Action } from "../dsl/module.ts";
import type { DeclaredAction, DeclaredGate } from "../dsl/step.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import { undoLabel } from "./back.ts";
import { madeFrom, type Undone, waitFor } from "./made.ts";
import { renewing } from "./modules.ts";

/**
 * What runs from files that went back, made younger than they are once all of its host is undone: in the order of the
 * playbook, and in the batches in which its step rolls.
 */
export function renewedNodes(plan: Plan, undone: readonly Undone[]): PlanNode[] {
  const last = new Map(undone.map((one) => [one.node.actsOn, waitFor(undoLabel(one.step), one)]));
  const renewed = undone
    .filter(({ node }) => (node.work as Action).module.renew !== undefined)
    .toSorted((one, other) => one.node.rank - other.node.rank);
  return renewed.flatMap((one) => {
    const { actsOn } = one.node;
    const label = `renew ${one.step}`;
    const needs = [last.get(actsOn) ?? []].flat();
    last.set(actsOn, waitFor(label, one));
    const made = madeFrom(one, { label, module: renewing, needs });
    return rolled(made, one, plan);
  });
}

function rolled(made: PlanNode, { node, host }: Undone, plan: Plan): PlanNode[] {
  const { rolling, batchGate } = node.step as DeclaredAction;
  if (rolling === undefined) return [made];
  const gate = plan.nodes.find(
    ({ step, host: { name } }) => step.label === batchGate && name === host,
  );
  const between = gate === undefined ? undefined : gateBehind(made, gate);
  const step = { ...(made.step as DeclaredAction), rolling, batchGate: between?.step.label };
  return [{ ...made, step }, ...(between === undefined ? [] : [between])];
}

// A gate that asks with outputs of other steps cannot be asked where these do not run.
function gateBehind(made: PlanNode, gate: PlanNode): PlanNode | undefined {
  const { between } = gate.step as DeclaredGate;
  if (gate.needs.some(({ kind, step }) => kind === "data" && step !== between)) return undefined;
  const { label } = made.step;
  const step: DeclaredGate = {
    ...(gate.step as DeclaredGate),
    label: `${label} between batches`,
    between: label,
    edges: [],
    when: undefined,
  };
  return { ...gate, step, needs: [{ step: label, kind: "data", scope: "each" }] };
}
