import { isRef } from "../dsl/ref.ts";
import { PlaybookError } from "../errors/error.ts";
import type { PlanNode } from "../plan/plan.ts";
import { playbookCode } from "../plan/play.ts";
import { type Progress, runAction } from "./action.ts";
import { type RunContext, resolveFor } from "./context.ts";
import { limitsOf, withLimits } from "./deadline.ts";
import { type Ended, notNeeded } from "./ended.ts";
import { waitForGate } from "./gate.ts";
import { endedBy, unreachable } from "./node-failure.ts";
import { undoFailed } from "./undo-on-fail.ts";
import { reach } from "./unreached.ts";
import type { Going } from "./verdict.ts";

/** Runs one node to its end, whatever that is: a failure is a way to end, too. */
export async function runNode(node: PlanNode, going: Going, context: RunContext): Promise<Ended> {
  const { step, host, actsOn } = node;
  const progress: Progress = { changes: 0 };
  context.emit({
    type: "node-started",
    at: context.clock.now(),
    step: step.label,
    host: host.name,
  });
  try {
    const givenUp = context.hosts.whyGivenUp(actsOn);
    if (givenUp !== undefined) return unreachable(givenUp);
    if (!(await isWanted(node, context))) return notNeeded("its `when` does not hold here");
    const ended = await (step.kind === "gate"
      ? waitForGate(node, step, context)
      : runAction(node, step, { ...context, progress }));
    return inView(ended, node, going);
  } catch (error) {
    const outcome = await undoFailed(error, node, { ...context, progress });
    return endedBy(outcome, { node, going, context, progress });
  }
}

async function isWanted(node: PlanNode, context: RunContext): Promise<boolean> {
  const { when, at } = node.step;
  if (when === undefined) return true;
  if (isRef(when)) return resolveFor(node, when, context) === true;
  const limits = limitsOf(node, context, () => ({}));
  const { facts } = await withLimits(limits, () => reach(node.host.name, context));
  return playbookCode(at, () => when(facts, node.host));
}

/** What an end means, seen with all that comes before the node. */
function inView(ended: Ended, node: PlanNode, { pending, setOffBy }: Going): Ended {
  const { label } = node.step;
  if (ended.outcome === "would-change" && node.readOnly)
    throw new PlaybookError("PB_OUTSIDE_LIMIT", [label, node.host.name]);
  if (ended.outcome === "ok" && setOffBy !== undefined)
    return {
      ...ended,
      outcome: "would-change",
      why: `runs as "${setOffBy}" changes`,
      pending: label,
    };
  if (ended.outcome === "would-change") return { ...ended, pending: label };
  return pending === undefined ? ended : { ...ended, pending: ended.pending ?? pending };
}
