import { type Converged, converge, type Hearing, type Wish } from "../converge/converge.ts";
import { ModuleFault } from "../converge/module-fault.ts";
import type { Reached } from "../converge/reached.ts";
import type { Action } from "../dsl/module.ts";
import type { DeclaredAction } from "../dsl/step.ts";
import { isPlaybookError } from "../errors/error.ts";
import type { PlanNode } from "../plan/plan.ts";
import { type ActionContext, type Attempting, mannerOf, unheard } from "./attempting.ts";
import { type RunContext, tellWaiting } from "./context.ts";
import { limitsOf, withLimits } from "./deadline.ts";
import type { Ended } from "./ended.ts";
import { keepForUndo } from "./keep-for-undo.ts";
import { prepare } from "./prepare.ts";
import { isKeptOut, owned, stillOwned } from "./unreached.ts";

/** Converges one node, again after a failure where the step says so, all within the step's timeout. */
export function runAction(
  node: PlanNode,
  step: DeclaredAction,
  context: ActionContext,
): Promise<Ended> {
  const { clock, progress } = context;
  const deadline = clock.steady() + step.timeoutMs;
  const limits = limitsOf(node, context, () => ({
    state: stateOf(node, context),
    cause: progress.failure,
  }));
  return withLimits(limits, (signal) => {
    progress.work = attempts({ node, step, context, deadline, signal });
    return progress.work;
  });
}

async function attempts(attempting: Attempting): Promise<Ended> {
  const { context, signal } = attempting;
  for (let left = retriesOf(attempting); ; left -= 1) {
    try {
      return inAll(await attempt(attempting), context);
    } catch (error) {
      context.progress.failure = error;
      if (left === 0 || !mayHelpAgain(error) || signal.aborted) throw error;
      await pause(error, left, attempting);
      if (context.stop.aborted) throw error;
    }
  }
}

async function attempt(attempting: Attempting): Promise<Converged> {
  const { node, step, context } = attempting;
  const { clock, emit, progress, foresight } = context;
  const { module } = node.work as Action;
  const mode = node.readOnly ? "check" : context.mode;
  const ahead = await foresight.take(node, context);
  const { on, want } = ahead ?? (await prepare(node, step, context));
  const converging = converge({
    step: step.label,
    module,
    want,
    mode,
    on,
    clock,
    ...(ahead && { seen: ahead.seen }),
    manner: mannerOf(attempting),
    doubt: (state) => {
      progress.doubt = state;
    },
    hear: hearingFor(attempting, { want, on }),
    tell: (shown) => {
      if (node.readOnly) return;
      if (mode === "apply") progress.changes += 1;
      const about = { at: clock.now(), step: step.label, host: node.host.name };
      for (const change of shown) emit({ type: "change", ...about, change });
    },
  });
  return node.readOnly ? converging : Promise.race([converging, refusalOf(node, context)]);
}

/** Never but where the host turns out to be another run's: no look at it is waited for then. */
const refusalOf = ({ actsOn }: PlanNode, context: RunContext): Promise<never> =>
  new Promise((_, reject) => {
    owned(actsOn, context).catch(reject);
  });

function hearingFor(
  attempting: Attempting,
  { want, on }: { readonly want: Wish["want"]; readonly on: Reached },
): Hearing {
  const { node, context } = attempting;
  const { witness, progress, foresight } = context;
  if (node.readOnly) return { found: unheard, changing: unheard, changed: unheard };
  return {
    found: async (now, changes) => {
      await owned(node.actsOn, context);
      const isFirst = progress.before === undefined && changes.length > 0;
      const before = { now, want, address: on.address };
      const keeping = isFirst ? await keepForUndo(attempting, { ...before, on }) : undefined;
      progress.before ??= before;
      await witness.found(node, { now, want, changes, keeping });
    },
    changing: async (index, change) => {
      await stillOwned(node.actsOn, context);
      foresight.touch(node.actsOn);
      await witness.changing(node, index, change);
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

const HOPELESS: ReadonlySet<string> = new Set([
  "PB_PARAMS_INVALID",
  "PB_PLAYBOOK_THREW",
  "PB_PLAN_DRIFTED",
  "PB_MODULE_IMPURE",
  "PB_UNDO_LOST",
]);

const mayHelpAgain = (error: unknown): boolean =>
  !(error instanceof ModuleFault) &&
  !isKeptOut(error) &&
  !(isPlaybookError(error) && HOPELESS.has(error.code));

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
