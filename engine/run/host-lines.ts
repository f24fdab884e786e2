import { PriorityQueue } from "../graph/priority-queue.ts";
import type { PlanNode } from "../plan/plan.ts";

/** The next node to start, and those that wait behind it on the same host and were not told of before. */
export interface Next {
  readonly node: PlanNode;
  readonly behind: readonly PlanNode[];
}

interface Line {
  readonly queue: PriorityQueue<PlanNode>;
  /** Came while nothing was under way on the host. */
  fresh: PlanNode[];
}

const byRank = () => new PriorityQueue<PlanNode>(({ rank }) => rank);

/**
 * Nodes that may start, in line by the host that they act on: one at a time on a host, of several the one that comes
 * first in the plan. Hosts that have begun go before those that have not, so that no more connections are open than
 * there are forks for longer than the playbook makes them wait.
 */
export class HostLines {
  readonly #lines = new Map<string, Line>();
  readonly #busy = new Set<string>();
  readonly #begun = new Set<string>();
  /** Offers of free hosts. One that is out of date does no harm: the host's line is asked again. */
  readonly #offers = { begun: byRank(), fresh: byRank() };

  /** How many hosts are worked on. */
  get busy(): number {
    return this.#busy.size;
  }

  /** Puts a node in line; true where it waits for another one on its host. */
  add(node: PlanNode): boolean {
    const line = this.#lines.get(node.actsOn) ?? { queue: byRank(), fresh: [] };
    this.#lines.set(node.actsOn, line);
    line.queue.push(node);
    if (this.#busy.has(node.actsOn)) return true;
    line.fresh.push(node);
    this.#offer(node);
    return false;
  }

  /** Takes the next node, unless it is one that must not start any more; its host is busy until it is freed. */
  next(mayStart: (node: PlanNode) => boolean): Next | undefined {
    for (;;) {
      const { begun, fresh } = this.#offers;
      const offer = begun.pop() ?? fresh.pop();
      if (offer === undefined) return undefined;
      const host = offer.actsOn;
      const line = this.#lines.get(host);
      if (line === undefined || this.#busy.has(host)) continue;
      const node = firstOf(line.queue, mayStart);
      if (node === undefined) continue;
      this.#busy.add(host);
      this.#begun.add(host);
      const behind = line.fresh.filter((other) => other !== node && mayStart(other));
      line.fresh = [];
      return { node, behind };
    }
  }

  /** What was under way on the host has ended. */
  free(host: string): void {
    this.#busy.delete(host);
    const first = this.#lines.get(host)?.queue.first;
    if (first !== undefined) this.#offer(first);
  }

  #offer(node: PlanNode): void {
    (this.#begun.has(node.actsOn) ? this.#offers.begun : this.#offers.fresh).push(node);
  }
}

function firstOf(
  queue: PriorityQueue<PlanNode>,
  mayStart: (node: PlanNode) => boolean,
): PlanNode | undefined {
  for (;;) {
    const node = queue.pop();
    if (node === undefined || mayStart(node)) return node;
  }
}
