import type { Rolling } from "../dsl/step.ts";
import type { PlanNode } from "../plan/plan.ts";
import { batchSizes, maxFailedOf } from "../plan/rolling.ts";
import { type Ended, isFailure } from "./ended.ts";

/** One step that rolls: its nodes in order, and those of the gate between its batches. */
export interface Rolled {
  readonly label: string;
  readonly rolling: Rolling;
  readonly nodes: readonly PlanNode[];
  readonly gates: readonly PlanNode[];
}

/** Walks one step's hosts in batches: who may start, and when nobody may any more. */
export class RollingWalk {
  readonly rolled: Rolled;
  readonly #batchOf = new Map<string, number>();
  /** How many of each batch have not ended: of the step itself, and of the gate behind it. */
  readonly #left: number[];
  readonly #asked: number[];
  readonly #maxFailed: number;
  readonly #failed: string[] = [];
  readonly #shut: string[] = [];
  #held: PlanNode[] = [];
  #batch = 0;

  constructor(rolled: Rolled) {
    this.rolled = rolled;
    const { nodes, gates, rolling } = rolled;
    this.#left = batchSizes(rolling, nodes.length);
    this.#maxFailed = maxFailedOf(rolling, nodes.length);
    const batches = this.#left.flatMap((size, batch) => Array<number>(size).fill(batch));
    nodes.forEach(({ host }, index) => {
      this.#batchOf.set(host.name, batches[index] ?? 0);
    });
    this.#asked = this.#left.map(() => 0);
    for (const gate of gates) this.#count(this.#asked, gate, 1);
  }

  /** True where the node may start; it is held for its batch otherwise. */
  admits(node: PlanNode): boolean {
    if (this.#mayStart(node)) return true;
    this.#held.push(node);
    return false;
  }

  /** Takes note of an end; gives back the held nodes that may start now. */
  ended(node: PlanNode, ended: Ended): PlanNode[] {
    const isGate = node.step.kind === "gate";
    if (isFailure(ended)) (isGate ? this.#shut : this.#failed).push(node.host.name);
    this.#count(isGate ? this.#asked : this.#left, node, -1);
    if (this.closed !== undefined) return [];
    while (this.#isOver(this.#batch) && this.#batch < this.#left.length - 1) this.#batch += 1;
    const free = this.#held.filter((held) => this.#mayStart(held));
    this.#held = this.#held.filter((held) => !free.includes(held));
    return free;
  }

  /** Why no further host is started; undefined while one may be. */
  get closed(): string | undefined {
    const { label } = this.rolled;
    const rest = "so no further host was started";
    if (this.#failed.length > this.#maxFailed) {
      const allowed = this.#maxFailed === 0 ? "" : `, more than the ${this.#maxFailed} allowed`;
      return `"${label}" failed on ${this.#failed.join(", ")}${allowed}, ${rest}`;
    }
    if (this.#shut.length === 0) return undefined;
    return `after "${label}", its gate did not hold on ${this.#shut.join(", ")}, ${rest}`;
  }

  // A gate looks at a batch that is whole: hosts that still change would only blur what it sees.
  #mayStart(node: PlanNode): boolean {
    const batch = this.#of(node);
    if (batch > this.#batch) return false;
    return node.step.kind === "action" || this.#left[batch] === 0;
  }

  #isOver(batch: number): boolean {
    return this.#left[batch] === 0 && this.#asked[batch] === 0;
  }

  #of({ host }: PlanNode): number {
    return this.#batchOf.get(host.name) ?? 0;
  }

  #count(counts: number[], node: PlanNode, by: number): void {
    const batch = this.#of(node);
    counts[batch] = (counts[batch] ?? 0) + by;
  }
}
