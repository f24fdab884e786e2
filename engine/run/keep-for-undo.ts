import { type Keeping, keepBefore } from "../converge/kept.ts";
import type { Reached } from "../converge/reached.ts";
import { refuseLost } from "../converge/undo.ts";
import type { Action } from "../dsl/module.ts";
import { type Attempting, mannerOf } from "./attempting.ts";

interface Finding {
  readonly now: unknown;
  readonly want: Record<string, unknown>;
  readonly on: Reached;
}

/**
 * Before a node's first change: asks whether it could be undone, and keeps what that takes on the host. Undefined where
 * the module has no undo, and under --check. @throws PB_UNDO_LOST where the step is to be undone if it fails
 */
export async function keepForUndo(
  attempting: Attempting,
  { now, want, on }: Finding,
): Promise<Keeping | undefined> {
  const { node, step, context } = attempting;
  const { module } = node.work as Action;
  if (module.undo === undefined) return undefined;
  try {
    await refuseLost(module, { now, want, host: on.name });
  } catch (error) {
    // A run that nobody asked to be undone goes on; who wants to undo it is told then.
    if (step.undoOnFail || !(error instanceof Error)) throw error;
    return { unkept: error.message };
  }
  if (context.mode === "check") return undefined;
  const name = { run: context.run, step: step.label, host: node.host.name };
  const kept = { module: module.name, before: now, want };
  return keepBefore({ on, manner: mannerOf(attempting) }, name, kept);
}
