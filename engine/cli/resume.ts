import { statSync } from "node:fs";
import { PlaybookError } from "../errors/error.ts";
import { differences } from "../journal/differences.ts";
import { readKey, runsFolder } from "../journal/folder.ts";
import type { Asked } from "../journal/format.ts";
import { isSettled } from "../journal/record.ts";
import { findRun, type KnownRun, lastUnfinished } from "../journal/runs.ts";
import type { Plan } from "../plan/plan.ts";
import { oneLine, plural } from "../report/text.ts";
import { plan } from "../run/run.ts";
import { askSecret, confirm } from "./ask.ts";
import type { Io } from "./io.ts";
import type { Job } from "./job.ts";
import { outlineOf } from "./journal.ts";
import { loadPlaybook } from "./load-playbook.ts";
import { lookAtDoubts } from "./look.ts";
import type { ResumeOptions } from "./options.ts";
import { parseParams } from "./params.ts";
import { planAndRun, wantedOf } from "./plan-and-run.ts";
import { inventoryFor } from "./run-playbook.ts";
import { localTime } from "./show-run.ts";
import { listenForSignals } from "./signals.ts";

/** `run-playbook resume RUN`: the same playbook, inventory, params and limits again, knowing what happened before. */
export async function resumeRun(name: string, options: ResumeOptions, io: Io): Promise<number> {
  const runs = runsFolder(io.env);
  const known = name === "last" ? await lastUnfinished(runs) : await findRun(runs, name);
  refuseUnlessOver(known);
  const job = await jobOf(known, options, io);
  const planned = plan(job.playbook, job.inventory, wantedOf(job.options));
  const say = (line: string) => io.stderr.write(`${line}\n`);
  sayWhatIsLeft(known, say);
  await nameDifferences(job, { known, planned, say });
  return (await readDoubtsFirst(job, { known, planned, say })) ? planAndRun(job) : 130;
}

interface Resuming {
  readonly known: KnownRun;
  readonly planned: Plan;
  readonly say: (line: string) => void;
}

function refuseUnlessOver({ run, record: { begun }, standing, resumedAs }: KnownRun): void {
  if (resumedAs !== undefined) throw new PlaybookError("PB_RUN_RESUMED", [run, resumedAs]);
  if (standing === "converged") throw new PlaybookError("PB_RUN_FINISHED", [run]);
  if (standing === "running")
    throw new PlaybookError("PB_RUN_ALIVE", [run, begun.by.pid, localTime(begun.at)]);
  if (standing === "elsewhere")
    throw new PlaybookError("PB_RUN_ELSEWHERE", [run, begun.by.machine]);
}

async function jobOf(known: KnownRun, options: ResumeOptions, io: Io): Promise<Job> {
  const { asked } = known.record.begun;
  const { playbook: word, cwd, params: _, secretParams: __, ...where } = asked;
  const here = { ...io, cwd };
  enter(known.run, cwd);
  const playbook = await loadPlaybook(word, cwd);
  const ask = askedOnce((question) => askSecret(question, io));
  const given = { ...where, ...options, param: await paramsOf(known, options.param ?? [], ask) };
  const inventory = await inventoryFor(playbook, given, here);
  return { word, playbook, inventory, options: given, io: here, ask, resumes: known.record };
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

function sayWhatIsLeft({ run, record, standing }: KnownRun, say: Resuming["say"]): void {
  const { begun, nodes, doubts, owed, lastAt } = record;
  const settled = nodes.filter(isSettled).length;
  say(
    `Resuming ${run}: ${oneLine(begun.playbook)}, begun ${localTime(begun.at)} by ${begun.by.user}, ${standing} ${localTime(lastAt)}.`,
  );
  say(
    `${settled} of ${plural(nodes.length, "node")} settled, ${doubts.length} in doubt; every one is read again.`,
  );
  for (const { step, host } of owed)
    say(`  still set off by a change: ${oneLine(step)} on ${oneLine(host)}`);
}

async function nameDifferences(job: Job, { known, planned, say }: Resuming): Promise<void> {
  const now = outlineOf(job, planned, await readKey(known.folder));
  const differ = differences(known.record.begun, now);
  if (differ.length === 0) return;
  say("Since then:");
  for (const difference of differ) say(`  ${difference}`);
  await confirm("Go on with what is there now?", job.io, job.options.yes === true);
}

/** False where the operator stopped it. */
async function readDoubtsFirst(job: Job, { known, planned, say }: Resuming): Promise<boolean> {
  const { record } = known;
  if (record.doubts.length === 0) return true;
  const hosts = new Set(record.doubts.map(({ host }) => host));
  say(`Reading what is in doubt on ${plural(hosts.size, "host")} first.`);
  const signals = listenForSignals(process, say, `run-playbook resume ${known.run}`);
  try {
    for (const { doubt, found } of await lookAtDoubts(job, record, { plan: planned, signals }))
      say(
        `  in doubt: ${oneLine(doubt.step)} on ${oneLine(doubt.host)}: ${oneLine(doubt.say)}\n    ${oneLine(found)}`,
      );
    return !signals.stop.aborted;
  } finally {
    signals.release();
  }
}
