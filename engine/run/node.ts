import { PlaybookError } from "../errors/error.ts";
import type { PlanNode } from "../plan/plan.ts";
import { runAction } from "./action.ts";
import type { Progress } from "./attempting.ts";
import type { RunContext } from "./context.ts";
import { type Ended, notNeeded } from "./ended.ts";
import { waitForGate } from "./gate.ts";
import { endedBy, unreachable } from "./node-failure.ts";
import { undoFailed } from "./undo-on-fail.ts";
import type { Going } from "./verdict.ts";
import { isWanted } from "./wanted.ts";

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
