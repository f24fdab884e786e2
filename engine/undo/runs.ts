import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { runNames } from "../journal/folder.ts";
import { isChanged, type RunRecord } from "../journal/record.ts";
import { type KnownRun, knownRun } from "../journal/runs.ts";
import type { Plan } from "../plan/plan.ts";
import { listed } from "../report/text.ts";

/**
 * The newest run that changed something, undid nothing and was not undone since. One that cannot be read may be it: who
 * wants an older one back says so. @throws PB_UNDO_NOTHING, PB_JOURNAL_BROKEN, PB_JOURNAL_NEWER, PB_RUNS_UNREADABLE
 */
export async function lastChanging(runs: string): Promise<KnownRun> {
  const undone = new Set<string>();
  for (const name of await runNames(runs)) {
    const known = await knownRun(runs, name).catch((error: unknown) => {
      if (!isPlaybookError(error)) throw error;
      const state = `whether ${name} changed something is not known; nothing was undone`;
      throw error.with({ state, hint: "Name the run to undo: `run-playbook runs` lists them." });
    });
    if (known === undefined || known.resumedAs !== undefined) continue;
    const { begun, nodes } = known.record;
    const { undoes } = begun.asked;
    // An undo is younger than what it undid, so it is met first.
    if (undoes !== undefined && known.standing === "converged") undone.add(undoes);
    if (undoes === undefined && !undone.has(name) && nodes.some(isChanged)) return known;
  }
  throw new PlaybookError("PB_UNDO_NOTHING", [
    "the runs that were made here",
    "none changed anything that was not undone since",
  ]);
}

interface Undoing {
  readonly known: KnownRun;
  readonly chain: readonly RunRecord[];
  readonly plan: Plan;
}

/** Later runs that changed hosts which are to go back, in words: what both changed is as before the older one then. */
export async function changedSince(
  runs: string,
  { known, chain, plan }: Undoing,
): Promise<string[]> {
  const hosts = new Set(plan.nodes.map(({ host }) => host.name));
  const own = new Set(chain.map(({ begun }) => begun.run));
  const undone = new Set<string>();
  const said: string[] = [];
  for (const name of await runNames(runs)) {
    if (name <= known.run || own.has(name)) continue;
    const later = await knownRun(runs, name).catch((error: unknown) => {
      if (!isPlaybookError(error)) throw error;
      said.push(`what ${name} changed since is not known: ${error.message}`);
      return undefined;
    });
    if (later === undefined) continue;
    const { begun, nodes } = later.record;
    const { undoes } = begun.asked;
    if (undoes !== undefined && later.standing === "converged") undone.add(undoes);
    const changed = nodes.filter((node) => isChanged(node) && hosts.has(node.host));
    if (undoes !== undefined || undone.has(name) || changed.length === 0) continue;
    const on = listed(Array.from(new Set(changed.map(({ host }) => host))), 4);
    said.push(`${name} (${begun.playbook}) changed ${on} since: what both changed goes back too`);
  }
  return said;
}
