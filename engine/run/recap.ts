import type { Plan, PlanNode } from "../plan/plan.ts";
import type { Counts, Outcome, RunEvent } from "../report/event.ts";
import type { Ended } from "./ended.ts";

/** The last event of a run, and what `run` returns. */
export type Recap = Extract<RunEvent, { type: "recap" }>;

/** What a recap is made from besides the counts. */
export interface RunEnd {
  readonly at: number;
  /** How long the run took. */
  readonly ms: number;
  readonly mode: "apply" | "check";
  readonly interrupted: boolean;
}

const none: Counts = {
  ok: 0,
  changed: 0,
  failed: 0,
  skipped: 0,
  unreachable: 0,
  wouldChange: 0,
  unknown: 0,
};

// A host of which a check can tell nothing is not known to be converged: it counts as failed.
const countOf: Record<Outcome, keyof Counts> = {
  ok: "ok",
  changed: "changed",
  failed: "failed",
  skipped: "skipped",
  unreachable: "unreachable",
  "would-change": "wouldChange",
  unknown: "unknown",
  "cannot-tell": "failed",
};

/** Counts ends, by host and in all. */
export class Tally {
  readonly #hosts: Map<string, Counts>;

  constructor({ nodes }: Plan) {
    this.#hosts = new Map(nodes.map(({ host }) => [host.name, none]));
  }

  add({ host }: PlanNode, { outcome }: Ended): void {
    const counts = this.#hosts.get(host.name) ?? none;
    const key = countOf[outcome];
    this.#hosts.set(host.name, { ...counts, [key]: counts[key] + 1 });
  }

  recap({ at, ms, mode, interrupted }: RunEnd): Recap {
    const total = Array.from(this.#hosts.values()).reduce(plus, none);
    return {
      type: "recap",
      at,
      ...total,
      exitCode: interrupted ? 130 : exitCode(total, mode),
      durationMs: ms,
      hosts: Object.fromEntries(this.#hosts),
    };
  }
}

const plus = (a: Counts, b: Counts): Counts => ({
  ok: a.ok + b.ok,
  changed: a.changed + b.changed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
  unreachable: a.unreachable + b.unreachable,
  wouldChange: a.wouldChange + b.wouldChange,
  unknown: a.unknown + b.unknown,
});

function exitCode(counts: Counts, mode: RunEnd["mode"]): number {
  if (counts.failed + counts.unreachable > 0) return 1;
  return mode === "check" && counts.wouldChange + counts.unknown > 0 ? 3 : 0;
}
