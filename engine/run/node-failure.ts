import { redact } from "../dsl/masking.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import type { PlanNode } from "../plan/plan.ts";
import type { RunContext } from "./context.ts";
import { type Ended, waitsFor } from "./ended.ts";
import { showError } from "./shown-error.ts";
import type { Undone } from "./undo-on-fail.ts";
import { Unreached } from "./unreached.ts";
import type { Going } from "./verdict.ts";

/** Whose failure it is, and what was known and done when it came. */
export interface Failing {
  readonly node: PlanNode;
  readonly going: Going;
  readonly context: RunContext;
  readonly progress: { readonly changes: number };
}

/** How a node ends that cannot go on. */
export function endedBy({ error, state, undone }: Undone, failing: Failing): Ended {
  const { node, going, context, progress } = failing;
  const { step, host } = node;
  if (error instanceof Unreached && !context.cut.aborted) {
    context.hosts.giveUp(error.host, error.cause);
    return unreachable(context.hosts.whyGivenUp(error.host) ?? error.message);
  }
  const expected = error instanceof Unreached ? cutOff(error, node) : error;
  if (context.mode === "check" && maySettleLater(expected)) return untold(expected, failing);
  return {
    outcome: "failed",
    changes: progress.changes,
    error: {
      ...showError(expected, { at: step.at, step: step.label, host: host.name }),
      ...(state === undefined ? {} : { state: redact(state) }),
    },
    ...(undone === undefined ? {} : { undone }),
    root: `"${step.label}" failed on ${host.name}`,
    ...(going.pending === undefined ? {} : { pending: going.pending }),
  };
}

/** A node whose host was given up: the error was told with the host. */
export const unreachable = (why: string): Ended => ({
  outcome: "unreachable",
  changes: 0,
  why,
  root: why,
});

const cutOff = (error: Unreached, { step, host }: PlanNode) =>
  new PlaybookError(
    "PB_STEP_CUT",
    [step.label, host.name],
    { state: `nothing was changed on ${host.name}` },
    { cause: error.cause },
  );

// A host can be in a state in which it cannot be read yet; wrong params and wrong code stay wrong.
const NEVER_SETTLE: ReadonlySet<string> = new Set([
  "PB_PARAMS_INVALID",
  "PB_PLAYBOOK_THREW",
  "PB_OUTSIDE_LIMIT",
  "PB_PLAN_DRIFTED",
  "PB_MODULE_IMPURE",
  "PB_STEP_CUT",
]);

const maySettleLater = (error: unknown): boolean =>
  isPlaybookError(error) && !NEVER_SETTLE.has(error.code);

// Under --check a read that fails while something before it is pending is expected: no program before its package.
function untold(error: unknown, { node: { step, host }, going }: Failing): Ended {
  const { pending, setOffBy } = going;
  if (setOffBy !== undefined)
    return {
      outcome: "would-change",
      changes: 0,
      why: `runs as "${setOffBy}" changes`,
      pending: step.label,
    };
  if (pending !== undefined) return waitsFor(pending);
  return {
    outcome: "cannot-tell",
    changes: 0,
    error: showError(error, { at: step.at, step: step.label, host: host.name }),
    pending: step.label,
  };
}
