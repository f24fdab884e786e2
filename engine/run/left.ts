import type { Plan, PlanNode } from "../plan/plan.ts";
import { batchSizes } from "../plan/rolling.ts";
import type { Left } from "../report/event.ts";

/** How long a node took when it was last worked on, in ms; undefined where that is not known. */
export type LastTook = (step: string, host: string) => number | undefined;

/** What a stopped run has left, by step. */
export function leftOf({ steps }: Plan, nodes: readonly PlanNode[], lastTook: LastTook): Left {
  const byStep = Map.groupBy(nodes, ({ step }) => step.label);
  const ms = duration(nodes, lastTook);
  return {
    steps: steps.flatMap(({ label }) => {
      const of = byStep.get(label);
      return of === undefined ? [] : [{ step: label, hosts: of.map(({ host }) => host.name) }];
    }),
    ...(ms === undefined ? {} : { lastMs: ms }),
  };
}

/**
 * How long nodes would take together, each as long as last time: one at a time on a host, each after what it waits for,
 * batches one after another. What was never measured counts as nothing.
 */
function duration(nodes: readonly PlanNode[], lastTook: LastTook): number | undefined {
  const known = nodes.map((node) => lastTook(node.step.label, node.host.name));
  if (known.every((ms) => ms === undefined)) return undefined;
  const ends = new Ends(nodes);
  // In the order of the plan: what a node waits for came before it.
  for (const [index, node] of nodes.entries()) ends.add(node, known[index] ?? 0);
  return ends.last;
}

/** When nodes end that start as early as they can. */
class Ends {
  last = 0;
  readonly #ofHost = new Map<string, number>();
  readonly #ofStep = new Map<string, number>();
  readonly #ofNode = new Map<string, number>();
  readonly #batches = new Map<string, { left: number; readonly sizes: number[]; start: number }>();

  constructor(nodes: readonly PlanNode[]) {
    for (const [label, of] of Map.groupBy(nodes, ({ step }) => step.label)) {
      const step = of[0]?.step;
      if (step?.kind !== "action" || step.rolling === undefined) continue;
      const [left = 0, ...sizes] = batchSizes(step.rolling, of.length);
      this.#batches.set(label, { left, sizes, start: 0 });
    }
  }

  add({ step, host, actsOn, needs }: PlanNode, ms: number): void {
    const batch = this.#batches.get(step.label);
    if (batch?.left === 0) {
      batch.left = batch.sizes.shift() ?? Number.POSITIVE_INFINITY;
      batch.start = this.#ofStep.get(step.label) ?? 0;
    }
    if (batch !== undefined) batch.left -= 1;
    const gate = step.kind === "gate";
    const start = Math.max(
      batch?.start ?? 0,
      gate ? 0 : (this.#ofHost.get(actsOn) ?? 0),
      ...needs.map((need) =>
        need.scope === "each"
          ? (this.#ofNode.get(`${need.step}\0${host.name}`) ?? 0)
          : (this.#ofStep.get(need.step) ?? 0),
      ),
    );
    const end = start + ms;
    if (!gate) this.#ofHost.set(actsOn, end);
    this.#ofNode.set(`${step.label}\0${host.name}`, end);
    this.#ofStep.set(step.label, Math.max(end, this.#ofStep.get(step.label) ?? 0));
    this.last = Math.max(this.last, end);
  }
}
