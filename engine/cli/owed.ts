import { isPlaybookError } from "../errors/error.ts";
import { runNames, runsFolder } from "../journal/folder.ts";
import { knownRun } from "../journal/runs.ts";
import { listed, oneLine } from "../report/text.ts";
import type { Job } from "./job.ts";

/**
 * What the newest run still owes where this one would do in its place and does not know of it: a change there set steps
 * off that did not run, and whose cause nobody finds any more.
 */
export async function owedByNewest({ playbook, io }: Job): Promise<string | undefined> {
  const runs = runsFolder(io.env);
  const [newest] = await runNames(runs);
  const known = newest === undefined ? undefined : await knownRun(runs, newest).catch(unread);
  if (known === undefined || known.standing === "running" || known.resumedAs !== undefined) return;
  const { begun, owed } = known.record;
  if (begun.playbook !== playbook.name || owed.length === 0) return;
  const nodes = owed.map(({ step, host }) => `${oneLine(step)} on ${oneLine(host)}`);
  return `\`run-playbook resume ${known.run}\` would also run what a change set off there: ${listed(nodes, 3)}.`;
}

// `run-playbook runs` names what is wrong with it.
function unread(error: unknown): undefined {
  if (!isPlaybookError(error)) throw error;
}
