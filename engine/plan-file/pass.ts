import type { PlaybookError } from "../errors/error.ts";
import { ancestors } from "../graph/reach.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import type { Ended } from "../run/ended.ts";
import type { Finding } from "../run/witness.ts";
import { type Keeping, keep } from "./finding.ts";
import { judgeFinding } from "./judge.ts";
import type { PlanFile, PlannedNode } from "./schema.ts";

/** One way through all nodes, held to a plan: what it has come to so far decides what may still differ. */
export class Pass {
  readonly #keeping: Keeping;
  readonly #planned: ReadonlyMap<string, Readonly<Record<string, PlannedNode>>>;
  /** Steps whose announced changes were made: in this pass, or found made. */
  readonly #done = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #begun = new Set<PlanNode>();
  #plan: Plan | undefined;

  constructor({ steps }: PlanFile, keeping: Keeping) {
    this.#keeping = keeping;
    this.#planned = new Map(steps.map(({ step, hosts }) => [step, hosts]));
  }

  get isOn(): boolean {
    return this.#plan !== undefined;
  }

  begins(plan: Plan): void {
    this.#plan = plan;
  }

  /** Why what was found may not be made. `mayMove` is false where only what the plan saw itself is to be accepted. */
  async refusal(
    node: PlanNode,
    finding: Finding,
    mayMove: boolean,
  ): Promise<PlaybookError | undefined> {
    if (finding.changes.length === 0) return undefined;
    const before = this.#doneBefore(node);
    const begun = this.#begun.has(node);
    const judging = {
      node,
      planned: this.#of(node),
      before,
      begun,
      moved: begun || (mayMove && before.length > 0),
      rescues: node.needs.some(({ kind, step }) => kind === "onFail" && this.#failed.has(step)),
    };
    return judgeFinding(judging, await keep(finding, this.#keeping));
  }

  changing(node: PlanNode): void {
    this.#begun.add(node);
  }

  ended(node: PlanNode, { outcome }: Ended): void {
    const { label } = node.step;
    const announced = this.#of(node).outcome === "would-change";
    if (outcome === "changed" || (outcome === "ok" && announced)) this.#done.add(label);
    if (outcome === "failed" || outcome === "unreachable") this.#failed.add(label);
  }

  #doneBefore({ step }: PlanNode): string[] {
    if (this.#plan === undefined || this.#done.size === 0) return [];
    const before = ancestors(this.#plan.graph, step.label);
    return Array.from(this.#done).filter((label) => before.has(label));
  }

  #of({ step, host }: PlanNode): PlannedNode {
    const planned = this.#planned.get(step.label)?.[host.name];
    if (planned === undefined)
      throw new TypeError(`"${step.label}" on ${host.name} is not in the plan`);
    return planned;
  }
}
