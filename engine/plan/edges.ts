import { isRef, outputsIn, type RefSource } from "../dsl/ref.ts";
import type { DeclaredStep } from "../dsl/step.ts";
import { PlaybookError } from "../errors/error.ts";
import { findCycle } from "../graph/cycles.ts";
import { buildGraph, type Edge, type Graph } from "../graph/graph.ts";
import type { Need, PlanNode } from "./plan.ts";

type OutputRef = Extract<RefSource, { kind: "output" }>;

/** The refs to outputs that decide whether a node runs, and with what. */
export const outputsOf = (step: DeclaredStep, params: unknown): OutputRef[] => [
  ...outputsIn(params),
  ...(isRef(step.when) ? outputsIn(step.when) : []),
];

/**
 * What a node waits for: the edges that its step declared, and those that its refs make. Who waits for a step that rolls
 * waits for the gate between its batches, too.
 */
export function needsOf(
  step: DeclaredStep,
  refs: readonly OutputRef[],
  steps: StepsByLabel,
): Need[] {
  const direct: Need[] = [
    ...step.edges,
    ...refs.map(({ step, scope }): Need => ({ step, kind: "data", scope })),
    ...ofBatch(step),
  ];
  const needs = direct.flatMap((need) => [need, ...gatesAfter(need, step, steps)]);
  const seen = new Set<string>();
  return needs.filter(({ step, kind, scope }) => {
    const key = `${kind} ${scope} ${step}`;
    return !seen.has(key) && seen.add(key);
  });
}

// Data, though no value is passed: what it asks about is what the step made of the host, so where that did not run
// there is nothing to ask.
const ofBatch = (step: DeclaredStep): Need[] =>
  step.kind === "gate" && step.between !== undefined
    ? [{ step: step.between, kind: "data", scope: "each" }]
    : [];

function gatesAfter(need: Need, { label }: DeclaredStep, steps: StepsByLabel): Need[] {
  const rolls = steps.get(need.step);
  if (rolls?.kind !== "action" || rolls.batchGate === undefined) return [];
  if (rolls.batchGate === label) return [];
  // Its closing is a failure of the step; it changes nothing, and has no outputs.
  const kind = need.kind === "onFail" ? "onFail" : "after";
  return [{ step: rolls.batchGate, kind, scope: need.scope }];
}

/** A ref must find what it reads: a step of this playbook that runs on hosts that fit its scope. */
export function checkRefs(node: PlanNode, refs: readonly OutputRef[], steps: StepsByLabel): void {
  for (const ref of refs) {
    const context = { at: node.work.at, step: node.step.label };
    const name = `${ref.step}.${ref.field}`;
    const hosts = steps.get(ref.step)?.on.hosts;
    if (hosts === undefined)
      throw new PlaybookError("PB_UNKNOWN_STEP", [ref.step, [...steps.keys()]], context);
    if (ref.scope === "one" && hosts.length > 1)
      throw new PlaybookError("PB_REF_MISUSED", [name, "one value of several hosts"], {
        ...context,
        hint: `"${ref.step}" runs on ${hosts.length} hosts: read out.each.${ref.field} or out.all.${ref.field}.`,
      });
    const found = ref.scope === "each" ? hosts.includes(node.host.name) : hosts.length > 0;
    if (!found && ref.scope !== "all")
      throw new PlaybookError("PB_REF_NO_HOST", [name, node.step.label, node.host.name], context);
  }
}

export type StepsByLabel = ReadonlyMap<string, DeclaredStep>;

/** The graph of steps. @throws PB_UNKNOWN_STEP, PB_CYCLE */
export function stepGraph(steps: StepsByLabel, nodes: readonly PlanNode[]): Graph {
  const edges = new Map<string, Edge>();
  const declared = [...steps.values()].map((step) => ({ step, needs: needsOf(step, [], steps) }));
  for (const { step, needs } of [...declared, ...nodes])
    for (const need of needs) {
      if (!steps.has(need.step))
        throw new PlaybookError("PB_UNKNOWN_STEP", [need.step, [...steps.keys()]], {
          at: step.at,
          step: step.label,
        });
      edges.set(`${need.step}\n${step.label}`, { from: need.step, to: step.label });
    }
  const graph = buildGraph([...steps.keys()], [...edges.values()]);
  const cycle = findCycle(graph);
  if (cycle === undefined) return graph;
  throw new PlaybookError("PB_CYCLE", [cycle], { at: steps.get(cycle[0] ?? "")?.at ?? "" });
}
