import { isPlaybookError } from "../errors/error.ts";
import { runNames, runsFolder } from "../journal/folder.ts";
import { knownRun, runStanding } from "../journal/runs.ts";
import { listed, oneLine } from "../report/text.ts";
import type { Job } from "./job.ts";

/**
 * What the newest run still owes where this one would do in its place and does not know of it: a change there set steps
 * off that did not run, and whose cause nobody finds any more.
 */
export async function owedByNewest({ playbook, io }: Job): Promise<string | undefined> {
  const runs = runsFolder(io.env);
  const [newest] = await runNames(runs);
  if (newest === undefined || !(await mayOwe(runs, newest, playbook.name))) return;
  const known = await knownRun(runs, newest).catch(unread);
  if (known === undefined || known.record.owed.length === 0) return;
  const { owed } = known.record;
  const nodes = owed.map(({ step, host }) => `${oneLine(step)} on ${oneLine(host)}`);
  return `\`run-playbook resume ${known.run}\` would also run what a change set off there: ${listed(nodes, 3)}.`;
}

// Every run asks, and most runs before it have changed nothing.
async function mayOwe(runs: string, run: string, playbook: string): Promise<boolean> {
  const known = await runStanding(runs, run).catch(unread);
  if (known === undefined || known.standing === "running" || known.resumedAs !== undefined)
    return false;
  const { begun, changing } = known;
  return begun.playbook === playbook && (changing || begun.owed.length > 0);
}

// `run-playbook runs` names what is wrong with it.
function unread(error: unknown): undefined {
  if (!isPlaybookError(error)) throw error;
}
