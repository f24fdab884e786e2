import { statSync } from "node:fs";
import { PlaybookError } from "../errors/error.ts";
import { differences } from "../journal/differences.ts";
import { readKey } from "../journal/folder.ts";
import type { Asked } from "../journal/format.ts";
import type { KnownRun } from "../journal/runs.ts";
import type { Plan } from "../plan/plan.ts";
import { askSecret } from "./ask.ts";
import type { Io } from "./io.ts";
import type { Job } from "./job.ts";
import { outlineOf } from "./journal.ts";
import { loadPlaybook } from "./load-playbook.ts";
import type { ResumeOptions } from "./options.ts";
import { parseParams } from "./params.ts";
import { inventoryFor } from "./run-playbook.ts";

/** What a run was, loaded again; a plan file that it was held to is not. */
export async function jobOf(known: KnownRun, options: ResumeOptions, io: Io): Promise<Job> {
  const { asked } = known.record.begun;
  const { playbook: word, cwd, params: _, secretParams: __, undoes: ___, ...rest } = asked;
  const { applyPlan: ____, planKey: _____, ...where } = rest;
  const here = { ...io, cwd };
  enter(known.run, cwd);
  const playbook = await loadPlaybook(word, cwd);
  const ask = askedOnce((question) => askSecret(question, io));
  const given = { ...where, ...options, param: await paramsOf(known, options.param ?? [], ask) };
  const inventory = await inventoryFor(playbook, given, here);
  return { word, playbook, inventory, options: given, io: here, ask };
}

// Paths in playbooks and modules are relative to where the run was started.
function enter(run: string, cwd: string): void {
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new PlaybookError("PB_RUN_FOLDER_GONE", [run, cwd]);
  process.chdir(cwd);
}

type Ask = Job["ask"];

/** What is in doubt is read, and then the run is: who answers once has answered for both. */
function askedOnce(ask: Ask): Ask {
  const answers = new Map<string, string | undefined>();
  return async (question) => {
    if (!answers.has(question)) answers.set(question, await ask(question));
    return answers.get(question);
  };
}

async function paramsOf(
  { run, record }: KnownRun,
  given: readonly string[],
  ask: Ask,
): Promise<string[]> {
  const { params, secretParams }: Asked = record.begun.asked;
  const again = parseParams(given);
  const other = Object.keys(again).filter((name) => !secretParams.includes(name));
  if (other.length > 0)
    throw new PlaybookError("PB_USAGE", [`--param ${other.join(", ")} is no secret of ${run}.`], {
      hint: "A run is resumed with the params that it had; run the playbook itself for others.",
    });
  for (const name of secretParams) {
    const answer = again[name] ?? (await ask(`Parameter ${name}:`));
    if (answer === undefined) throw new PlaybookError("PB_SECRET_PARAM", [run, secretParams]);
    again[name] = answer;
  }
  return Object.entries({ ...params, ...again }).map(([name, value]) => `${name}=${value}`);
}

/** What is no longer as it was when the run began, a line each. */
export async function differencesSince(
  { record, folder }: KnownRun,
  job: Job,
  planned: Plan,
): Promise<string[]> {
  return differences(record.begun, outlineOf(job, planned, await readKey(folder)));
}
