import { hostFor } from "../converge/host.ts";
import { inModule } from "../converge/module-fault.ts";
import type { Condition, ProbeAnswer } from "../dsl/module.ts";
import type { DeclaredGate } from "../dsl/step.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { parseParams } from "../plan/action-params.ts";
import type { PlanNode } from "../plan/plan.ts";
import { brief } from "../report/text.ts";
import { type RunContext, resolveFor, tellWaiting } from "./context.ts";
import { limitsOf, withLimits } from "./deadline.ts";
import type { Ended } from "./ended.ts";
import { leftBy } from "./stop.ts";
import { isKeptOut, owned, reach, Unreached } from "./unreached.ts";

/** How long one look may take, in ms, where the gate's own deadline leaves that much. */
const LOOK_MS = 60_000;

type Seen = ProbeAnswer & { readonly cause?: unknown };

/**
 * Asks until the condition held for as long as it must. A look that fails, or a host that does not answer, is something
 * seen like any other: a gate after a reboot waits for just that to pass. Under --check it is asked once.
 */
export async function waitForGate(
  node: PlanNode,
  gate: DeclaredGate,
  context: RunContext,
): Promise<Ended> {
  const work = node.work as Condition;
  const want = parseParams(work, resolveFor(node, work.params, context), gate.label);
  const asking: Asking = { node, gate, want, context };
  return context.mode === "check" ? askOnce(asking) : poll(asking);
}

interface Asking {
  readonly node: PlanNode;
  readonly gate: DeclaredGate;
  readonly want: Record<string, unknown>;
  readonly context: RunContext;
}

const held: Ended = { outcome: "ok", changes: 0, outputs: {} };

async function askOnce(asking: Asking): Promise<Ended> {
  const { node, gate } = asking;
  const { holds, saw, cause } = await look(asking, LOOK_MS);
  if (holds) return held;
  if (cause instanceof Unreached) throw cause;
  throw new PlaybookError("PB_GATE_CLOSED", [gate.label, node.host.name, saw], {}, { cause });
}

async function poll(asking: Asking): Promise<Ended> {
  const { node, gate, context } = asking;
  const { clock, stop } = context;
  const holdForMs = mustHoldFor(asking);
  const deadline = clock.steady() + gate.withinMs;
  let since: number | undefined;
  let told: string | undefined;
  let answered: Seen | undefined;
  for (;;) {
    const asked = clock.steady();
    const seen = await look(asking, Math.min(LOOK_MS, Math.max(1, deadline - asked)));
    const whole = !isCutOff(seen);
    if (whole) answered = seen;
    since = seen.holds ? (since ?? asked) : undefined;
    const now = clock.steady();
    if (since !== undefined && now - since >= holdForMs) return held;
    if (stop.aborted) return leftBy(stop);
    if (whole && seen.saw !== told) {
      tellWaiting(node, seen.saw, context);
      told = seen.saw;
    }
    if (now >= deadline) throw timedOut(asking, answered ?? seen);
    const untilHeld = since === undefined ? gate.everyMs : since + holdForMs - now;
    await rest(Math.min(gate.everyMs, untilHeld, deadline - now), context);
  }
}

// Between batches: what was not touched has nothing to settle from.
function mustHoldFor({ node, gate, context }: Asking): number {
  if (gate.between === undefined) return gate.holdForMs;
  const need = { step: gate.between, kind: "after", scope: "each" } as const;
  return context.ledger.summary(need, node.host.name).changed ? gate.holdForMs : 0;
}

async function look({ node, gate, want, context }: Asking, ms: number): Promise<Seen> {
  const { clock, cut } = context;
  const { probe } = node.work as Condition;
  const until = clock.steady() + ms;
  const limits = { ...limitsOf(node, context, () => ({})), ms };
  try {
    return await withLimits(limits, async (signal): Promise<Seen> => {
      const reached = await reach(node.actsOn, context);
      await owned(node.actsOn, context);
      const manner = { as: gate.as, env: {}, left: () => until - clock.steady(), signal };
      const answer = await inModule(probe.name, "check()", () =>
        probe.check(hostFor(reached, manner), want),
      );
      return { holds: answer.holds, saw: brief(answer.saw) };
    });
  } catch (error) {
    if (cut.aborted || isKeptOut(error)) throw error;
    if (!(isPlaybookError(error) || error instanceof Unreached)) throw error;
    return { holds: false, saw: brief(error.message), cause: error };
  }
}

// A stop ends the pause: looking changes nothing, so any moment is a safe point.
async function rest(ms: number, { clock, stop, cut }: RunContext): Promise<void> {
  const either = AbortSignal.any([stop, cut]);
  await clock.wait(Math.max(0, ms), either).catch((aborted: unknown) => {
    if (!either.aborted) throw aborted;
  });
}

// The last look ends with the gate's own time: it saw less than the one before.
const isCutOff = ({ cause }: Seen) => isPlaybookError(cause) && cause.code === "PB_STEP_TIMEOUT";

const timedOut = ({ node, gate }: Asking, { saw, cause }: Seen) =>
  new PlaybookError("PB_GATE_TIMEOUT", [gate.label, node.host.name, saw], {}, { cause });
