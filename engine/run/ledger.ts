import type { RefSource } from "../dsl/ref.ts";
import type { Need, Plan, PlanNode } from "../plan/plan.ts";
import { type Ended, isFailure } from "./ended.ts";

/** What those that wait for some nodes have to know of them. */
export interface Summary {
  /** The first failure among them. */
  readonly root: string | undefined;
  /** Under --check: the first step that they wait for. */
  readonly pending: string | undefined;
  /** Under --check: the step because of which some outputs are not known. What a host that is as wanted says holds. */
  readonly unread: string | undefined;
  readonly changed: boolean;
  readonly failed: boolean;
  /** Whether none of them ran. */
  readonly idle: boolean;
}

/** How every node ended, so far. */
export class Ledger {
  readonly #ended = new Map<string, Map<string, Ended>>();
  readonly #summaries = new Map<string, Summary>();
  readonly #hostsOf: ReadonlyMap<string, readonly string[]>;

  constructor({ nodes }: Plan) {
    const byStep = Map.groupBy(nodes, ({ step }) => step.label);
    this.#hostsOf = new Map(
      Array.from(byStep, ([step, on]) => [step, on.map(({ host }) => host.name)]),
    );
  }

  record({ step, host }: PlanNode, ended: Ended): void {
    const onHosts = this.#ended.get(step.label) ?? new Map<string, Ended>();
    this.#ended.set(step.label, onHosts.set(host.name, ended));
  }

  /** What a need came to; ask only once all that it waits for has ended. */
  summary({ step, scope, host: other }: Need, host: string): Summary {
    if (scope === "each") {
      const ended = this.#ended.get(step)?.get(other ?? host);
      return summarise(ended === undefined ? [] : [ended]);
    }
    const known = this.#summaries.get(step);
    if (known !== undefined) return known;
    const summary = summarise(this.#inOrder(step).map(([, ended]) => ended));
    this.#summaries.set(step, summary);
    return summary;
  }

  /** The value of a ref to an output: of the hosts on which the step ran, where it reads all. */
  output({ step, field, scope }: Extract<RefSource, { kind: "output" }>, host: string): unknown {
    if (scope === "each") return this.#ended.get(step)?.get(host)?.outputs?.[field];
    const ran = this.#inOrder(step).flatMap(([, { outputs }]) =>
      outputs === undefined ? [] : [outputs],
    );
    return scope === "one" ? ran[0]?.[field] : ran.map((outputs) => outputs[field]);
  }

  #inOrder(step: string): [string, Ended][] {
    const ended = this.#ended.get(step);
    return (this.#hostsOf.get(step) ?? []).flatMap((host) => {
      const found = ended?.get(host);
      return found === undefined ? [] : [[host, found] satisfies [string, Ended]];
    });
  }
}

function summarise(ended: readonly Ended[]): Summary {
  return {
    root: ended.find(({ root }) => root !== undefined)?.root,
    pending: ended.find(({ pending }) => pending !== undefined)?.pending,
    unread: ended.find(({ pending, outcome }) => pending !== undefined && outcome !== "ok")
      ?.pending,
    changed: ended.some(({ outcome }) => outcome === "changed" || outcome === "would-change"),
    failed: ended.some(isFailure),
    idle: ended.every(({ outcome }) => outcome === "skipped"),
  };
}
