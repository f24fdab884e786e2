import type { Outcome, ShownError } from "../report/event.ts";

/** How a node ended, and what follows from it for those that wait for it. */
export interface Ended {
  readonly outcome: Outcome;
  readonly changes: number;
  readonly why?: string;
  readonly error?: ShownError;
  /** It failed, and the host is again as it was found. */
  readonly undone?: true;
  /** Only where the step ran to its end. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** The failure because of which what depends on this node is skipped; names where it began. */
  readonly root?: string;
  /** Not begun when the run was stopped. */
  readonly left?: true;
  /** Under --check: a step whose change this node, and all after it, waits for. */
  readonly pending?: string;
}

/** Skipped for a reason that is nobody's failure: what comes after goes on. */
export const notNeeded = (why: string): Ended => ({ outcome: "skipped", changes: 0, why });

/** Skipped because of a failure elsewhere. */
export const skippedFor = (root: string, why = root): Ended => ({
  outcome: "skipped",
  changes: 0,
  why,
  root,
});

/** Under --check: it cannot be known before another step's change was made. */
export const waitsFor = (step: string): Ended => ({
  outcome: "unknown",
  changes: 0,
  why: `waits for "${step}"`,
  pending: step,
});

/** Whether the host, or the step on it, failed. */
export const isFailure = ({ outcome }: Ended): boolean =>
  outcome === "failed" || outcome === "unreachable";
