import type { ModuleSpec } from "../dsl/module.ts";
import type { DeclaredStep } from "../dsl/step.ts";
import { PlaybookError } from "../errors/error.ts";
import { specOf } from "./action-params.ts";
import type { Plan, PlanNode } from "./plan.ts";

/** Why what a module changes stays, as part of a sentence; undefined where it can be undone. */
const whyLasting = ({ name, undo, lasting }: ModuleSpec): string | undefined =>
  undo === undefined ? (lasting ?? `the module ${name} has no undo`) : undefined;

/** A step that is to be undone where it fails must be one that can. @throws PB_CANNOT_UNDO */
export function refuseLasting(step: DeclaredStep, nodes: readonly PlanNode[]): void {
  if (step.kind === "gate" || !step.undoOnFail) return;
  for (const { work } of nodes) {
    const why = work.kind === "action" ? whyLasting(work.module) : undefined;
    if (why === undefined) continue;
    throw new PlaybookError("PB_CANNOT_UNDO", [step.label, specOf(work).name, why], {
      at: step.at,
      step: step.label,
    });
  }
}

/** Of a playbook that undoes: each step whose changes stay, with the reason. Of any other, nothing. */
export function lastingSteps({ nodes }: Plan): readonly string[] {
  if (!nodes.some(({ step }) => step.kind === "action" && step.undoOnFail)) return [];
  const why = new Map(
    nodes.flatMap(({ step, work }) => {
      const reason = work.kind === "action" ? whyLasting(work.module) : undefined;
      return reason === undefined ? [] : [[step.label, reason] as const];
    }),
  );
  return Array.from(why, ([step, reason]) => `"${step}" cannot be undone: ${reason}`);
}
