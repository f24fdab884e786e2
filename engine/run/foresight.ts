import { look, type Seen } from "../converge/converge.ts";
import type { Action } from "../dsl/module.ts";
import type { Connection } from "../host/connection.ts";
import type { PlanNode } from "../plan/plan.ts";
import type { RunContext } from "./context.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { isWanted } from "./wanted.ts";

/** Looks ahead of one host's nodes: each may hold a file's content. */
const MOST = 64;
/** Ms after which what was seen is looked at again. */
const FRESH_MS = 10_000;
/** Ms that a look ahead may take; the node's own look has the step's whole time. */
const LOOK_MS = 30_000;

interface Ahead extends Prepared {
  readonly seen: Seen;
  readonly at: number;
  readonly connection: Connection;
}

/**
 * Looks at hosts ahead of their nodes' turns. A node that may start, and only waits for others on its host, is read
 * meanwhile: reads of many nodes then share a round trip. What was seen counts only while nothing was changed on the
 * host in this run. Whatever goes wrong with a look ahead, it counts as not made: the node looks for itself.
 */
export class Foresight {
  readonly #ahead = new Map<PlanNode, Promise<Ahead | undefined>>();
  readonly #count = new Map<string, number>();
  readonly #touched = new Set<string>();

  /** Begins the look of a node that waits for its turn, unless what it saw would not count. */
  begin(node: PlanNode, context: RunContext): void {
    const host = node.actsOn;
    const count = this.#count.get(host) ?? 0;
    if (this.#touched.has(host) || count >= MOST || context.hosts.whyGivenUp(host) !== undefined)
      return;
    this.#count.set(host, count + 1);
    this.#ahead.set(
      node,
      this.#look(node, context).catch(() => undefined),
    );
  }

  /** What was seen ahead of a node, if it still counts; once. */
  async take(node: PlanNode, { hosts, clock }: RunContext): Promise<Ahead | undefined> {
    const looking = this.#ahead.get(node);
    if (looking === undefined) return undefined;
    this.#ahead.delete(node);
    this.#count.set(node.actsOn, (this.#count.get(node.actsOn) ?? 1) - 1);
    if (this.#touched.has(node.actsOn)) return undefined;
    const ahead = await looking;
    if (ahead === undefined || clock.steady() - ahead.at > FRESH_MS) return undefined;
    const { connection } = await hosts.reach(node.actsOn);
    return connection === ahead.connection ? ahead : undefined;
  }

  /** Something is about to be changed on a host: from here on nothing that was seen ahead counts there. */
  touch(host: string): void {
    this.#touched.add(host);
  }

  async #look(node: PlanNode, context: RunContext): Promise<Ahead | undefined> {
    const { step, actsOn } = node;
    const { clock, cut } = context;
    // The node whose turn it is asks first.
    await new Promise((resolve) => setImmediate(resolve));
    if (step.kind === "gate" || !(await isWanted(node, context))) return undefined;
    const prepared = await prepare(node, step, context);
    if (this.#touched.has(actsOn)) return undefined;
    const { connection } = prepared.on;
    const at = clock.steady();
    const left = () => at + LOOK_MS - clock.steady();
    const manner = { as: step.as, env: step.env, left, signal: cut };
    const { module } = node.work as Action;
    const seen = await look({ ...prepared, module, manner });
    return { ...prepared, connection, at, seen };
  }
}
