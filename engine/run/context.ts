import { type RefSource, resolveRefs } from "../dsl/ref.ts";
import type { PlanNode } from "../plan/plan.ts";
import { playbookCode } from "../plan/play.ts";
import { type Secrets, secretKey } from "../plan/secrets.ts";
import type { Emit } from "../report/event.ts";
import { brief } from "../report/text.ts";
import type { Foresight } from "./foresight.ts";
import type { Hosts } from "./hosts.ts";
import type { Ledger } from "./ledger.ts";
import type { Clock } from "./options.ts";
import type { Witness } from "./witness.ts";

/** What every node of a run is run with. */
export interface RunContext {
  /** The run's name. */
  readonly run: string;
  readonly mode: "apply" | "check";
  readonly clock: Clock;
  readonly emit: Emit;
  readonly stop: AbortSignal;
  readonly cut: AbortSignal;
  readonly hosts: Hosts;
  readonly foresight: Foresight;
  readonly ledger: Ledger;
  readonly secrets: Secrets;
  readonly witness: Required<Witness>;
}

/** A value with every ref in it resolved, as one node sees them. */
export function resolveFor({ host, work }: PlanNode, value: unknown, context: RunContext): unknown {
  const lookup = (source: RefSource): unknown => {
    switch (source.kind) {
      case "output":
        return context.ledger.output(source, host.name);
      case "secret":
        return context.secrets.get(secretKey(source.source));
      case "mapped":
        throw new TypeError("a mapped ref is resolved by what it maps");
    }
  };
  return playbookCode(work.at, () => resolveRefs(value, lookup));
}

/** Tells what a waiting node sees. */
export const tellWaiting = (node: PlanNode, saw: string, { emit, clock }: RunContext): void => {
  const { step, host } = node;
  const about = { at: clock.now(), step: step.label, host: host.name };
  emit({ type: "node-waiting", ...about, saw: brief(saw) });
};
