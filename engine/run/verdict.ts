import type { Need, PlanNode } from "../plan/plan.ts";
import { type Ended, notNeeded, skippedFor, waitsFor } from "./ended.ts";
import type { Ledger, Summary } from "./ledger.ts";

/** What is decided about a node once all that it waits for has ended: to go, or how it ends without. */
export type Verdict =
  | {
      readonly go: true;
      /** Under --check: the step whose change comes first. */
      readonly pending: string | undefined;
      /** Under --check: the step whose change would set it off. */
      readonly setOffBy: string | undefined;
    }
  | { readonly go: false; readonly ended: Ended };

/** A node that goes, and what is known of its going. */
export type Going = Extract<Verdict, { go: true }>;

type Met = Need & Summary;

/** What an earlier run, which this one goes on with, left behind. */
export interface Earlier {
  /** Whether a change was made there that sets this node off, and the node never came to its goal since. */
  owes(node: PlanNode): boolean;
}

/** Whether a node runs, by how those that it waits for ended. */
export function judge(node: PlanNode, ledger: Ledger, earlier?: Earlier): Verdict {
  const met = node.needs.map((need): Met => ({ ...need, ...ledger.summary(need, node.host.name) }));
  const blocked = met.find(({ kind, root }) => kind !== "onFail" && root !== undefined);
  if (blocked?.root !== undefined) return end(skippedFor(blocked.root));
  const owed = earlier?.owes(node) === true;
  return notSetOff(met, owed) ?? withoutData(met) ?? go(met);
}

const end = (ended: Ended): Verdict => ({ go: false, ended });

function go(met: readonly Met[]): Verdict {
  const cause = met.find(({ kind, changed }) => kind === "onChange" && changed);
  const waiting = met.find(({ kind, pending }) => kind !== "onFail" && pending !== undefined);
  return {
    go: true,
    pending: waiting?.pending,
    setOffBy: cause?.pending === undefined ? undefined : cause.step,
  };
}

// onChange and onFail each need one of their steps to have done what they wait for.
function notSetOff(met: readonly Met[], owed: boolean): Verdict | undefined {
  const onFail = met.filter(({ kind }) => kind === "onFail");
  if (onFail.length > 0 && !onFail.some(({ failed }) => failed))
    return end(notNeeded(`${named(onFail)} did not fail`));
  const onChange = met.filter(({ kind }) => kind === "onChange");
  if (owed || onChange.length === 0 || onChange.some(({ changed }) => changed)) return undefined;
  const waiting = onChange.find(({ pending }) => pending !== undefined);
  if (waiting?.pending !== undefined) return end(waitsFor(waiting.pending));
  return end(notNeeded(`${named(onChange)} changed nothing`));
}

function withoutData(met: readonly Met[]): Verdict | undefined {
  const data = met.filter(({ kind }) => kind === "data");
  const waiting = data.find(({ unread }) => unread !== undefined);
  if (waiting?.unread !== undefined) return end(waitsFor(waiting.unread));
  const idle = data.find(({ idle, scope }) => idle && scope !== "all");
  return idle === undefined ? undefined : end(notNeeded(`"${idle.step}" did not run`));
}

const named = (needs: readonly Need[]) =>
  Array.from(new Set(needs.map(({ step }) => `"${step}"`))).join(", ");
