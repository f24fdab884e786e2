import type { Rolling } from "../dsl/step.ts";
import type { PlanNode } from "../plan/plan.ts";
import { batchSizes, maxFailedOf } from "../plan/rolling.ts";
import { type Ended, isFailure } from "./ended.ts";

/** Walks one step's hosts in batches: who may start, and when nobody may any more. */
export class RollingWalk {
  readonly #batchOf = new Map<PlanNode, number>();
  /** How many of each batch have not ended. */
  readonly #left: number[];
  readonly #maxFailed: number;
  readonly #failed: string[] = [];
  #held: PlanNode[] = [];
  #batch = 0;

  constructor(nodes: readonly PlanNode[], rolling: Rolling) {
    this.#left = batchSizes(rolling, nodes.length);
    this.#maxFailed = maxFailedOf(rolling, nodes.length);
    const batches = this.#left.flatMap((size, batch) => Array<number>(size).fill(batch));
    nodes.forEach((node, index) => {
      this.#batchOf.set(node, batches[index] ?? 0);
    });
  }

  /** True where the node may start; it is held for its batch otherwise. */
  admits(node: PlanNode): boolean {
    if ((this.#batchOf.get(node) ?? 0) <= this.#batch) return true;
    this.#held.push(node);
    return false;
  }

  /** Takes note of an end; gives back the held nodes that may start now. */
  ended(node: PlanNode, ended: Ended): PlanNode[] {
    if (isFailure(ended)) this.#failed.push(node.host.name);
    const batch = this.#batchOf.get(node) ?? 0;
    this.#left[batch] = (this.#left[batch] ?? 1) - 1;
    while (this.#left[this.#batch] === 0 && this.#batch < this.#left.length - 1) this.#batch += 1;
    const free = this.#held.filter((held) => (this.#batchOf.get(held) ?? 0) <= this.#batch);
    this.#held = this.#held.filter((held) => !free.includes(held));
    return free;
  }

  /** Why no further host is started; undefined while one may be. */
  get closed(): string | undefined {
    if (this.#failed.length <= this.#maxFailed) return undefined;
    const allowed = this.#maxFailed === 0 ? "" : `, more than the ${this.#maxFailed} allowed`;
    return `failed on ${this.#failed.join(", ")}${allowed}, so no further host was started`;
  }
}
