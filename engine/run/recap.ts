import type { Plan, PlanNode } from "../plan/plan.ts";
import type { Counts, Left, Outcome, RunEvent } from "../report/event.ts";
import type { Ended } from "./ended.ts";
import { type LastTook, leftOf } from "./left.ts";
import type { StopReason } from "./stop.ts";

/** The last event of a run, and what `run` returns. */
export type Recap = Extract<RunEvent, { type: "recap" }>;

/** What a recap is made from besides the counts. */
export interface RunEnd {
  readonly at: number;
  /** How long the run took. */
  readonly ms: number;
  readonly mode: "apply" | "check";
  /** Why it was stopped, and whether it was cut; undefined where it went to its end. */
  readonly stop: StopReason | undefined;
  readonly isCut: boolean;
  readonly lastTook: LastTook;
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
  readonly #plan: Plan;
  readonly #hosts: Map<string, Counts>;
  readonly #left = new Set<PlanNode>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#hosts = new Map(plan.nodes.map(({ host }) => [host.name, none]));
  }

  add(node: PlanNode, { outcome, left }: Ended): void {
    const { host } = node;
    if (left === true) this.#left.add(node);
    const counts = this.#hosts.get(host.name) ?? none;
    const key = countOf[outcome];
    this.#hosts.set(host.name, { ...counts, [key]: counts[key] + 1 });
  }

  recap({ at, ms, mode, stop, isCut, lastTook }: RunEnd): Recap {
    const total = Array.from(this.#hosts.values()).reduce(plus, none);
    const left = this.#plan.nodes.filter((node) => this.#left.has(node));
    const isInterrupted = isCut || stop?.kind === "interrupted";
    return {
      type: "recap",
      at,
      ...total,
      exitCode: isInterrupted ? 130 : (failed(total) ?? closed(left) ?? pending(total, mode)),
      durationMs: ms,
      hosts: Object.fromEntries(this.#hosts),
      ...(stop === undefined
        ? {}
        : { stopped: stoppedFor(stop, leftOf(this.#plan, left, lastTook)) }),
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

function stoppedFor(
  { kind: why, ...opening }: StopReason,
  left: Left,
): NonNullable<Recap["stopped"]> {
  return { why, ...opening, left };
}

const failed = ({ failed, unreachable }: Counts) => (failed + unreachable > 0 ? 1 : undefined);

// A window that closed over the last nodes left nothing to do.
const closed = (left: readonly PlanNode[]) => (left.length > 0 ? 4 : undefined);

const pending = ({ wouldChange, unknown }: Counts, mode: RunEnd["mode"]) =>
  mode === "check" && wouldChange + unknown > 0 ? 3 : 0;
