import { PlaybookError } from "../errors/error.ts";
import type { PlanNode } from "../plan/plan.ts";
import type { Clock } from "./options.ts";

/** What ends a piece of work from outside. */
export interface Limits {
  readonly clock: Clock;
  readonly ms: number;
  /** Cuts it off at once. */
  readonly cut: AbortSignal;
  /** What the work fails with when the time is up, and when it is cut off. */
  late(): Error;
  cutOff(): Error;
}

// A reason of its own would be an error with a stack, for every node that ends in time.
const inTime = Symbol("in time");

/**
 * Gives work a deadline and a signal. When time is up, or at a cut, the signal is aborted and the work is not waited
 * for: a peer that hangs cannot hold the run.
 */
export async function withLimits<T>(
  { clock, ms, cut, late, cutOff }: Limits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const aborter = new AbortController();
  const timer = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (error: Error) => {
    reject(error);
    aborter.abort(error);
  };
  const onCut = () => end(cutOff());
  cut.addEventListener("abort", onCut, { once: true });
  if (cut.aborted) onCut();
  clock.wait(ms, timer.signal).then(
    () => end(late()),
    (error: unknown) => {
      if (!timer.signal.aborted) reject(error);
    },
  );
  try {
    return await Promise.race([ended, work(aborter.signal)]);
  } finally {
    cut.removeEventListener("abort", onCut);
    timer.abort(inTime);
  }
}

/** What was done, and what went wrong, when a limit is met. */
export interface Progress {
  readonly state?: string;
  readonly cause?: unknown;
}

/** The limits of one node: its step's timeout, and the cut. */
export function limitsOf(
  { step, host }: PlanNode,
  { clock, cut }: Pick<Limits, "clock" | "cut">,
  progress: () => Progress,
): Limits {
  const ms = step.kind === "gate" ? step.withinMs : step.timeoutMs;
  const where = [step.label, host.name] as const;
  const parts = () => {
    const { state, cause } = progress();
    return [state === undefined ? {} : { state }, { cause }] as const;
  };
  return {
    clock,
    ms,
    cut,
    late: () => new PlaybookError("PB_STEP_TIMEOUT", [...where, ms / 1000], ...parts()),
    cutOff: () => new PlaybookError("PB_STEP_CUT", [...where], ...parts()),
  };
}
