import { type Converged, converge, type Hearing } from "../converge/converge.ts";
import { ModuleFault } from "../converge/module-fault.ts";
import type { Action } from "../dsl/module.ts";
import type { DeclaredAction } from "../dsl/step.ts";
import { isPlaybookError } from "../errors/error.ts";
import type { PlanNode } from "../plan/plan.ts";
import { type RunContext, tellWaiting } from "./context.ts";
import { limitsOf, withLimits } from "./deadline.ts";
import type { Ended } from "./ended.ts";
import { prepare } from "./prepare.ts";

/** A run's context with what one node has done so far. */
export interface ActionContext extends RunContext {
  /** Changes begun, over every attempt. */
  readonly progress: { changes: number; doubt?: string | undefined };
}

interface Attempting {
  readonly node: PlanNode;
  readonly step: DeclaredAction;
  readonly context: ActionContext;
  readonly deadline: number;
  readonly signal: AbortSignal;
}

/** Converges one node, again after a failure where the step says so, all within the step's timeout. */
export async function runAction(
  node: PlanNode,
  step: DeclaredAction,
  context: ActionContext,
): Promise<Ended> {
  const deadline = context.clock.now() + step.timeoutMs;
  let last: unknown;
  const limits = limitsOf(node, context, () => ({ state: stateOf(node, context), cause: last }));
  return withLimits(limits, async (signal) => {
    const attempting = { node, step, context, deadline, signal };
    for (let left = retriesOf(attempting); ; left -= 1) {
      try {
        return inAll(await attempt(attempting), context);
      } catch (error) {
        last = error;
        if (left === 0 || !mayHelpAgain(error) || signal.aborted) throw error;
        await pause(error, left, attempting);
        if (context.stop.aborted) throw error;
      }
    }
  });
}

async function attempt({ node, step, context, ...limits }: Attempting): Promise<Converged> {
  const { clock, emit, progress, foresight } = context;
  const { module } = node.work as Action;
  const mode = node.readOnly ? "check" : context.mode;
  const ahead = await foresight.take(node, context);
  const { on, want } = ahead ?? (await prepare(node, step, context));
  return converge({
    step: step.label,
    module,
    want,
    mode,
    on,
    clock,
    ...(ahead && { seen: ahead.seen }),
    manner: {
      as: step.as,
      env: step.env,
      left: () => limits.deadline - clock.now(),
      signal: limits.signal,
    },
    doubt: (state) => {
      progress.doubt = state;
    },
    hear: hearingFor(node, want, context),
    tell: (shown) => {
      if (node.readOnly) return;
      if (mode === "apply") progress.changes += 1;
      const about = { at: clock.now(), step: step.label, host: node.host.name };
      for (const change of shown) emit({ type: "change", ...about, change });
    },
  });
}

const unheard = async () => undefined;

function hearingFor(
  node: PlanNode,
  want: Record<string, unknown>,
  { witness, foresight }: RunContext,
): Hearing {
  if (node.readOnly) return { found: unheard, changing: unheard, changed: unheard };
  return {
    found: (now, changes) => witness.found(node, { now, want, changes }),
    changing: (index, change) => {
      foresight.touch(node.actsOn);
      return witness.changing(node, index, change);
    },
    changed: (index) => witness.changed(node, index),
  };
}

// What an earlier attempt changed stays a change, though the last one found nothing left to do.
function inAll({ outcome, changes, outputs }: Converged, { progress }: ActionContext): Ended {
  if (outcome === "would-change") return { outcome, changes };
  if (progress.changes === 0) return { outcome, changes, outputs };
  return { outcome: "changed", changes: progress.changes, outputs };
}

const retriesOf = ({ step, context }: Attempting): number =>
  context.mode === "check" ? 0 : step.retries.times;

const mayHelpAgain = (error: unknown): boolean =>
  !(error instanceof ModuleFault) &&
  !(isPlaybookError(error) && ["PB_PARAMS_INVALID", "PB_PLAYBOOK_THREW"].includes(error.code));

async function pause(error: unknown, left: number, { node, step, context, signal }: Attempting) {
  const { times, delayMs } = step.retries;
  const why = error instanceof Error ? error.message : String(error);
  tellWaiting(node, `attempt ${times - left + 2} of ${times + 1} comes next: ${why}`, context);
  const either = AbortSignal.any([signal, context.stop]);
  await context.clock.wait(delayMs, either).catch((aborted: unknown) => {
    if (!either.aborted) throw aborted;
  });
}

const stateOf = ({ actsOn }: PlanNode, { progress }: ActionContext): string =>
  progress.doubt ??
  (progress.changes === 0
    ? `nothing was changed on ${actsOn}`
    : `changes on ${actsOn} were begun (${progress.changes}), the last one is in doubt; running again reads it first`);
