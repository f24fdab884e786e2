import { nodeId, type Plan, type PlanNode } from "../plan/plan.ts";
import { type Ended, skippedFor } from "./ended.ts";
import { HostLines } from "./host-lines.ts";
import { RollingWalk } from "./rolling-walk.ts";
import { leftBy } from "./stop.ts";
import type { Going, Verdict } from "./verdict.ts";

/** What a schedule asks of those who know more than order. */
export interface Scheduling {
  readonly plan: Plan;
  /** How many hosts are worked on at once. */
  readonly forks: number;
  /** Whether steps that roll go in batches; under --check there is nothing to be careful about. */
  readonly batches: boolean;
  readonly stop: AbortSignal;
  judge(node: PlanNode): Verdict;
  /** Never rejects for a failed node: that is a way to end. */
  work(node: PlanNode, going: Going): Promise<Ended>;
  ended(node: PlanNode, ended: Ended): void;
  /** Told of a node that may start and only waits for others on its host. */
  waits?(node: PlanNode): void;
}

/**
 * Starts each node as soon as all that it waits for has ended: of those that could start, the one that comes first in
 * the plan. One node at a time on a host, as package managers and service managers do not like company; gates only
 * look, so they keep nobody out. Nothing here knows what a node does, or of time.
 */
export class Schedule {
  readonly #given: Scheduling;
  readonly #waiting = new Map<PlanNode, number>();
  readonly #unstarted: Set<PlanNode>;
  readonly #openOf = new Map<string, number>();
  readonly #afterStep = new Map<string, PlanNode[]>();
  readonly #afterNode = new Map<string, PlanNode[]>();
  readonly #walks = new Map<string, RollingWalk>();
  /** Steps that roll no further. */
  readonly #closed = new Set<RollingWalk>();
  readonly #going = new Map<PlanNode, Going>();
  readonly #lines = new HostLines();
  readonly #over: [PlanNode, Ended][] = [];
  readonly #done = Promise.withResolvers<void>();
  #left: number;
  #draining = false;

  constructor(given: Scheduling) {
    this.#given = given;
    const { nodes } = given.plan;
    this.#left = nodes.length;
    this.#unstarted = new Set(nodes);
    const ofStep = Map.groupBy(nodes, ({ step }) => step.label);
    for (const [label, of] of ofStep) {
      this.#openOf.set(label, of.length);
      const step = of[0]?.step;
      if (!given.batches || step?.kind !== "action" || step.rolling === undefined) continue;
      const { rolling, batchGate } = step;
      const gates = batchGate === undefined ? [] : (ofStep.get(batchGate) ?? []);
      const walk = new RollingWalk({ label, rolling, nodes: of, gates });
      this.#walks.set(label, walk);
      if (batchGate !== undefined) this.#walks.set(batchGate, walk);
    }
    const ids = new Set(nodes.map(({ step, host }) => nodeId(step.label, host.name)));
    for (const node of nodes) this.#register(node, ids);
  }

  /** Resolves when every node has ended, each exactly once. */
  async run(): Promise<void> {
    const { plan, stop } = this.#given;
    if (this.#left === 0) return;
    const onStop = () => this.#orReject(() => this.#skipUnstarted(plan.nodes, leftBy(stop)));
    stop.addEventListener("abort", onStop, { once: true });
    if (stop.aborted) onStop();
    for (const node of plan.nodes) if (this.#waiting.get(node) === 0) this.#ready(node);
    this.#drain();
    await this.#done.promise;
    stop.removeEventListener("abort", onStop);
  }

  // A need on a whole step is met when the step's last node ends: one count a node, not one edge a pair of hosts.
  #register(node: PlanNode, ids: ReadonlySet<string>): void {
    let count = 0;
    for (const { step, scope, host = node.host.name } of node.needs) {
      const id = nodeId(step, host);
      if (scope === "each" ? !ids.has(id) : !this.#openOf.has(step)) continue;
      count += 1;
      const [map, key] = scope === "each" ? [this.#afterNode, id] : [this.#afterStep, step];
      const waiting = map.get(key);
      if (waiting === undefined) map.set(key, [node]);
      else waiting.push(node);
    }
    this.#waiting.set(node, count);
  }

  #ready(node: PlanNode): void {
    if (!this.#unstarted.has(node)) return;
    const verdict = this.#given.judge(node);
    if (!verdict.go) {
      this.#end(node, verdict.ended);
      return;
    }
    this.#going.set(node, verdict);
    if (this.#walks.get(node.step.label)?.admits(node) !== false) this.#admit(node);
  }

  #admit(node: PlanNode): void {
    if (node.step.kind === "gate") this.#start(node);
    else if (this.#lines.add(node)) this.#given.waits?.(node);
  }

  #startNext(): void {
    while (this.#lines.busy < this.#given.forks) {
      const next = this.#lines.next((node) => this.#unstarted.has(node));
      if (next === undefined) return;
      this.#start(next.node);
      for (const node of next.behind) this.#given.waits?.(node);
    }
  }

  #start(node: PlanNode): void {
    const verdict = this.#going.get(node);
    if (verdict === undefined) throw new TypeError("a node starts only once it was judged");
    this.#unstarted.delete(node);
    this.#given.work(node, verdict).then(
      (ended) =>
        this.#orReject(() => {
          if (node.step.kind === "action") this.#lines.free(node.actsOn);
          this.#end(node, ended);
          this.#drain();
        }),
      this.#done.reject,
    );
  }

  // A bug in what hears of the ends must end the run, not hang it.
  #orReject(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#done.reject(error);
    }
  }

  #end(node: PlanNode, ended: Ended): void {
    this.#unstarted.delete(node);
    this.#over.push([node, ended]);
  }

  // A loop over a list that grows, not a recursion: one failure may skip ten thousand nodes.
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    for (const [node, ended] of this.#over) this.#settle(node, ended);
    this.#over.length = 0;
    this.#draining = false;
    this.#startNext();
    if (this.#left === 0) this.#done.resolve();
  }

  #settle(node: PlanNode, ended: Ended): void {
    const { label } = node.step;
    this.#left -= 1;
    this.#given.ended(node, ended);
    this.#walkOn(node, ended);
    const open = (this.#openOf.get(label) ?? 0) - 1;
    this.#openOf.set(label, open);
    const freed = [
      ...(this.#afterNode.get(nodeId(label, node.host.name)) ?? []),
      ...(open === 0 ? (this.#afterStep.get(label) ?? []) : []),
    ];
    for (const waiting of freed) {
      const left = (this.#waiting.get(waiting) ?? 0) - 1;
      this.#waiting.set(waiting, left);
      if (left === 0) this.#ready(waiting);
    }
  }

  #walkOn(node: PlanNode, ended: Ended): void {
    const walk = this.#walks.get(node.step.label);
    if (walk === undefined) return;
    for (const free of walk.ended(node, ended)) if (this.#unstarted.has(free)) this.#admit(free);
    const { closed, rolled } = walk;
    if (closed === undefined || ended.root === undefined || this.#closed.has(walk)) return;
    this.#closed.add(walk);
    this.#skipUnstarted(rolled.nodes, skippedFor(ended.root, closed));
    this.#skipUnstarted(rolled.gates, skippedFor(ended.root));
  }

  #skipUnstarted(nodes: readonly PlanNode[], ended: Ended): void {
    for (const node of nodes) if (this.#unstarted.has(node)) this.#end(node, ended);
    this.#drain();
  }
}
