import { convergeBack, regain } from "../converge/undo.ts";
import type { Action } from "../dsl/module.ts";
import type { DeclaredAction } from "../dsl/step.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import type { PlanNode } from "../plan/plan.ts";
import {
  type ActionContext,
  type Attempting,
  mannerOf,
  type Progress,
  unheard,
} from "./attempting.ts";
import { tellWaiting } from "./context.ts";
import { limitsOf, withLimits } from "./deadline.ts";
import { reach, stillOwned, Unreached } from "./unreached.ts";

/** How long what was cut off may take to stop on the host before it is undone, in ms. */
const STOPPING_MS = 10_000;
/** How long a guarded change that was cut off may take until the host has gone back by itself, in ms. */
const SETTLING_MS = 300_000;

/** A failure, and what state things are in once what the node changed was undone, or was not. */
export interface Undone {
  readonly error: unknown;
  readonly state?: string;
  /** Whether the host is again as it was found. */
  readonly undone?: true;
}

/** Undoes what a failed node changed, in a time of its own as long as the step's; nothing where nothing was changed. */
export async function undoFailed(
  error: unknown,
  node: PlanNode,
  context: ActionContext,
): Promise<Undone> {
  const { step, actsOn } = node;
  const { changes, before } = context.progress;
  if (step.kind === "gate" || !step.undoOnFail || changes === 0 || before === undefined)
    return { error };
  // A cut ends at once, as going back would take its time; a host that was given up may be another run's by now.
  const why = context.cut.aborted ? "it was cut off" : context.hosts.whyGivenUp(actsOn);
  if (why !== undefined)
    return { error, state: `what it changed on ${actsOn} was not undone: ${why}` };
  const back: Progress = { changes: 0 };
  try {
    await undo(node, step, { context, before, back });
    const state = `undone: ${actsOn} is again as the step found it`;
    return { error: error instanceof Unreached ? error.cause : error, state, undone: true };
  } catch (failure) {
    if (failure instanceof Unreached) context.hosts.giveUp(failure.host, failure.cause);
    const why = failure instanceof Error ? failure.message : String(failure);
    const output = isPlaybookError(failure) ? failure.context.output : undefined;
    const parts = output === undefined ? {} : { output };
    return {
      error: new PlaybookError("PB_UNDO_FAILED", [step.label, actsOn, why], parts, {
        cause: error,
      }),
      state: whatIsLeft(node, { changes, back }),
    };
  }
}

interface Undoing {
  readonly context: ActionContext;
  readonly before: NonNullable<Progress["before"]>;
  /** What was done to undo it. */
  readonly back: Progress;
}

function undo(node: PlanNode, step: DeclaredAction, { context, before, back }: Undoing) {
  const { clock, emit, progress, witness } = context;
  tellWaiting(node, "it failed: what it changed is being undone", context);
  const ms = step.timeoutMs + (progress.doubt === undefined ? 0 : SETTLING_MS);
  const deadline = clock.steady() + ms;
  const late = () =>
    new PlaybookError("PB_STEP_TIMEOUT", [`undo of ${step.label}`, node.host.name, ms / 1000]);
  const limits = { ...limitsOf(node, context, () => ({})), ms, late };
  return withLimits(limits, async (signal) => {
    await stopped(progress.work, context);
    const attempting: Attempting = { node, step, context, deadline, signal };
    const on = await reach(node.actsOn, context);
    const manner = mannerOf(attempting);
    if (progress.doubt !== undefined) await regain({ on, manner, clock }, before);
    const { module } = node.work as Action;
    const { want } = before;
    const wish = { step: step.label, module, want, mode: "apply", on, clock, manner } as const;
    const about = { step: step.label, host: node.host.name };
    return convergeBack(
      {
        ...wish,
        doubt: (state) => {
          back.doubt = state;
        },
        hear: {
          found: unheard,
          changing: async (index, change) => {
            await stillOwned(node.actsOn, context);
            await witness.undoing(node, index, change);
          },
          changed: (index) => witness.undone(node, index),
        },
        tell: (shown) => {
          back.changes += 1;
          for (const { say, diff } of shown) {
            const change = { say: `undo: ${say}`, ...(diff === undefined ? {} : { diff }) };
            emit({ type: "change", at: clock.now(), ...about, change });
          }
        },
      },
      before,
    );
  });
}

// What was cut off is ended on the host, which takes a moment; two at once would not know of each other.
async function stopped(work: Progress["work"], { clock }: ActionContext): Promise<void> {
  const waiting = new AbortController();
  const over = work?.then(unheard, unheard) ?? Promise.resolve();
  const patience = clock.wait(STOPPING_MS, waiting.signal).catch((aborted: unknown) => {
    if (!waiting.signal.aborted) throw aborted;
  });
  await Promise.race([over, patience]);
  waiting.abort();
}

function whatIsLeft(
  { actsOn }: PlanNode,
  { changes, back }: { readonly changes: number; readonly back: Progress },
): string {
  const begun = `${changes} of its changes on ${actsOn} ${changes === 1 ? "was" : "were"} begun`;
  if (back.doubt !== undefined) return `${begun}; ${back.doubt}`;
  if (back.changes === 0) return `${begun}, none of them was undone`;
  return `${begun}, and ${back.changes} back, the last one in doubt`;
}
