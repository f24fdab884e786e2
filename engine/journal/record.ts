import type { Earlier } from "../run/verdict.ts";
import type { Begun, Doubt, Entry, EntryOf, NodeName } from "./format.ts";
import type { ReadJournal } from "./read.ts";

/** What became of one node in one run. */
export interface NodeRecord extends NodeName {
  /** Undefined where it never started. */
  startedAt?: number;
  /** The changes that were begun, in words, over all attempts. */
  readonly changes: string[];
  /** The change that was begun, and of which nobody knows whether it was made. */
  doubt?: Doubt;
  ended?: EntryOf<"ended">;
}

/** What a journal says happened. */
export interface RunRecord {
  readonly begun: Begun;
  readonly nodes: readonly NodeRecord[];
  readonly stopping: EntryOf<"stopping"> | undefined;
  /** Undefined where the run never came to its end. */
  readonly over: EntryOf<"over"> | undefined;
  /** The last time that something was written down. */
  readonly lastAt: number;
  /** Changes that were begun and never finished, those of earlier runs that nobody looked at since among them. */
  readonly doubts: readonly Doubt[];
  /** Nodes that a change set off and that did not come to their goal: what a resumed run still owes. */
  readonly owed: readonly NodeName[];
}

/** Derives what happened from what was written down, entry by entry. */
export function recordOf({ begun, entries }: ReadJournal): RunRecord {
  const nodes = new Map<string, NodeRecord>(
    begun.steps.flatMap(({ step, hosts }) =>
      hosts.map((host) => [idOf({ step, host }), { step, host, changes: [] }] as const),
    ),
  );
  const inherited = new Map(begun.doubts.map((doubt) => [idOf(doubt), doubt]));
  for (const entry of entries) {
    if (!("step" in entry)) continue;
    const node = nodes.get(idOf(entry));
    if (node === undefined) continue;
    take(node, entry);
    if (entry.type === "found" || isGoal(entry)) inherited.delete(idOf(entry));
  }
  const all = Array.from(nodes.values());
  return {
    begun,
    nodes: all,
    stopping: entries.findLast((entry) => entry.type === "stopping"),
    over: entries.findLast((entry) => entry.type === "over"),
    lastAt: entries.at(-1)?.at ?? begun.at,
    doubts: [...inherited.values(), ...all.flatMap(({ doubt }) => doubt ?? [])],
    owed: owedBy(begun, all),
  };
}

function take(node: NodeRecord, entry: Extract<Entry, NodeName>): void {
  switch (entry.type) {
    case "started":
      node.startedAt ??= entry.at;
      return;
    case "found":
      // It was read again: what an attempt before left behind is known now.
      delete node.doubt;
      return;
    case "intent": {
      const { step, host, at, until, undo } = entry;
      const say = undo === undefined ? entry.say : `undo: ${entry.say}`;
      if (undo === undefined) node.changes.push(say);
      node.doubt = { step, host, at, say, ...(until === undefined ? {} : { until }) };
      return;
    }
    case "done":
      delete node.doubt;
      return;
    case "ended":
      node.ended = entry;
      if (isGoal(entry) || entry.undone === true) delete node.doubt;
      return;
  }
}

/** What a run that goes on with this one has to know of it. */
export function earlierOf({ owed }: RunRecord): Earlier {
  const ids = new Set(owed.map(idOf));
  return { owes: ({ step, host }) => ids.has(idOf({ step: step.label, host: host.name })) };
}

/** Whether a node came to what it was for, or had nothing to do. */
export const isSettled = ({ ended }: NodeRecord): boolean =>
  ended !== undefined && ended.root === undefined;

/** Whether something that it changed may still be so. */
export const isChanged = ({ changes, ended }: NodeRecord): boolean =>
  changes.length > 0 && ended?.undone !== true;

const isGoal = (entry: Entry): boolean =>
  entry.type === "ended" && (entry.outcome === "ok" || entry.outcome === "changed");

// A change counts from when it was begun: one in doubt may have been made, and what it sets off is then due. Whoever was
// set off by a step that in the end had nothing to do, or that was undone, is not.
function owedBy({ steps, owed }: Begun, nodes: readonly NodeRecord[]): NodeName[] {
  const before = new Set(owed.map(idOf));
  const changing = nodes.filter(isChanged);
  const changed = new Set(changing.map(idOf));
  const changedSteps = new Set(changing.map(({ step }) => step));
  const causes = new Map(steps.map(({ step, onChange }) => [step, onChange]));
  return nodes
    .filter((node) => {
      if (node.ended !== undefined && isGoal(node.ended)) return false;
      if (before.has(idOf(node))) return true;
      return (causes.get(node.step) ?? []).some(({ step, scope }) =>
        scope === "each" ? changed.has(idOf({ step, host: node.host })) : changedSteps.has(step),
      );
    })
    .map(({ step, host }) => ({ step, host }));
}

const idOf = ({ step, host }: NodeName): string => `${step}\0${host}`;
