import type { PlannedChange } from "./schema.ts";

/** A change that was found, and why it is none of those that were planned; no reason where it is one. */
export interface Matched {
  readonly say: string;
  readonly why?: string;
  /** Whether the reason is one of the control machine, not of the host or the module. */
  readonly ours?: boolean;
}

/**
 * Finds each change among those planned, in their order. Fewer than planned is no difference: the others were made, by
 * an earlier attempt or an earlier application of the same plan. `moved` says that this very plan has changed since
 * what the host looks like, so that only what a change does is compared, not what it meets.
 */
export function match(
  planned: readonly PlannedChange[],
  found: readonly PlannedChange[],
  moved: boolean,
): Matched[] {
  let next = 0;
  return found.map((change) => {
    const left = planned.slice(next);
    const at = left.findIndex((other) => likeness(other, change, moved) === "same");
    if (at < 0) return { say: change.say, ...nearest(left, change, moved) };
    next += at + 1;
    return { say: change.say };
  });
}

type Likeness = "same" | "meets" | "sends" | "worded" | "words" | "other";

function likeness(planned: PlannedChange, found: PlannedChange, moved: boolean): Likeness {
  if (planned.does !== found.does) return planned.say === found.say ? "words" : "other";
  if (moved) return "same";
  if (planned.sends !== found.sends) return "sends";
  if (planned.say !== found.say) return "worded";
  return planned.replaces === found.replaces ? "same" : "meets";
}

function nearest(left: readonly PlannedChange[], change: PlannedChange, moved: boolean) {
  const like = left.map((planned) => ({ planned, how: likeness(planned, change, moved) }));
  const close = like.find(({ how }) => how !== "other");
  switch (close?.how) {
    case "meets":
      return { why: "what it overwrites is not what the plan saw" };
    case "sends":
      return { why: "the file that it sends is another one", ours: true };
    case "worded":
      return { why: `planned as "${close.planned.say}"` };
    case "words":
      return { why: "planned in the same words, but it does something else" };
    default:
      return { why: "not planned" };
  }
}
