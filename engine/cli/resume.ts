import { resolve } from "node:path";
import { PlaybookError } from "../errors/error.ts";
import { runsFolder } from "../journal/folder.ts";
import { isSettled } from "../journal/record.ts";
import { findRun, type KnownRun, lastUnfinished } from "../journal/runs.ts";
import type { Plan } from "../plan/plan.ts";
import { oneLine, plural } from "../report/text.ts";
import { plan } from "../run/run.ts";
import { confirm } from "./ask.ts";
import { systemClock } from "./clock.ts";
import type { Io } from "./io.ts";
import type { Job } from "./job.ts";
import { lookAtDoubts } from "./look.ts";
import type { ResumeOptions } from "./options.ts";
import { planAndRun, wantedOf } from "./plan-and-run.ts";
import { differencesSince, jobOf } from "./recall.ts";
import { runWindow } from "./run-window.ts";
import { localTime } from "./show-run.ts";
import { listenForSignals } from "./signals.ts";

/** `run-playbook resume RUN`: the same playbook, inventory, params and limits again, knowing what happened before. */
export async function resumeRun(name: string, options: ResumeOptions, io: Io): Promise<number> {
  const runs = runsFolder(io.env);
  const say = (line: string) => io.stderr.write(`${line}\n`);
  const unread = ({ message }: Error) => say(`Left out: ${oneLine(message)}`);
  const known = name === "last" ? await lastUnfinished(runs, unread) : await findRun(runs, name);
  refuseUnlessOver(known);
  const { undoes } = known.record.begun.asked;
  if (undoes !== undefined) {
    const { undoRun } = await import("./undo.ts");
    return undoRun(undoes, options, io, known.record);
  }
  const recalled = await jobOf(known, options, io);
  const job = { ...(await heldToItsPlan(known, recalled)), resumes: known.record };
  (await runWindow(job.options.window, job.playbook, systemClock))?.requireOpen();
  const planned = plan(job.playbook, job.inventory, wantedOf(job.options));
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

/** What a plan file announced is all that a run that goes on may make, too. */
async function heldToItsPlan({ record }: KnownRun, job: Job): Promise<Job> {
  const { applyPlan, planKey } = record.begun.asked;
  if (applyPlan === undefined) return job;
  const { readPlan } = await import("../plan-file/disk.ts");
  const applied = await readPlan(resolve(job.io.cwd, applyPlan));
  const options = { ...job.options, applyPlan, ...(planKey === undefined ? {} : { planKey }) };
  return { ...job, applied, options };
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
  const differ = await differencesSince(known, job, planned);
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
