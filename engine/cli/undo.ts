import { PlaybookError } from "../errors/error.ts";
import { runsFolder } from "../journal/folder.ts";
import type { RunRecord } from "../journal/record.ts";
import { findRun, type KnownRun, knownRun } from "../journal/runs.ts";
import { oneLine, plural } from "../report/text.ts";
import { plan } from "../run/run.ts";
import { changedNodes } from "../undo/changed.ts";
import { type UndoPlan, undoPlan } from "../undo/plan.ts";
import { changedSince, lastChanging } from "../undo/runs.ts";
import { confirm } from "./ask.ts";
import type { Io } from "./io.ts";
import type { Job } from "./job.ts";
import type { UndoOptions } from "./options.ts";
import { planAndRun, wantedOf } from "./plan-and-run.ts";
import { differencesSince, jobOf } from "./recall.ts";
import { localTime } from "./show-run.ts";

/**
 * `run-playbook undo RUN`: what the run changed, back to what it found; a run of its own. `resumes` is one that began to
 * and did not come to its end.
 */
export async function undoRun(
  name: string,
  options: UndoOptions,
  io: Io,
  resumes?: RunRecord,
): Promise<number> {
  const runs = runsFolder(io.env);
  const known = name === "last" ? await lastChanging(runs) : await findRun(runs, name);
  refuseWhileInUse(known);
  const chain = await withEarlier(runs, known);
  const job = await jobOf(known, options, io);
  const whole = plan(job.playbook, job.inventory, wantedOf(job.options));
  const undo = undoPlan(whole, changedNodes(chain));
  refuseNothing(known, undo);
  const since = await changedSince(runs, { known, chain, plan: undo.plan });
  const differ = await differencesSince(known, job, whole);
  const say = (line: string) => io.stderr.write(`${oneLine(line)}\n`);
  for (const line of [...heading(known, undo), ...undo.stays, ...since, ...differ]) say(line);
  if (options.check !== true) await confirm("Undo it?", job.io, options.yes === true);
  const forks = options.forks ?? undo.forks ?? job.options.forks;
  const undoing: Job = {
    ...job,
    options: { ...job.options, ...(forks === undefined ? {} : { forks }) },
    undoes: { run: known.run, plan: undo.plan },
  };
  return planAndRun(resumes === undefined ? undoing : { ...undoing, resumes });
}

function refuseWhileInUse({ run, record: { begun }, standing, resumedAs }: KnownRun): void {
  if (resumedAs !== undefined)
    throw new PlaybookError("PB_RUN_RESUMED", [run, resumedAs], {
      hint: "Undo that one: what the first one did goes back with it.",
    });
  if (standing === "running")
    throw new PlaybookError("PB_RUN_ALIVE", [run, begun.by.pid, localTime(begun.at)]);
  if (standing === "elsewhere")
    throw new PlaybookError("PB_RUN_ELSEWHERE", [run, begun.by.machine]);
  const { undoes } = begun.asked;
  if (undoes !== undefined)
    throw new PlaybookError("PB_UNDO_NOTHING", [run, `it undid ${undoes}`], {
      hint: "Run the playbook again to have its changes back.",
    });
}

/** The run with those that it goes on with, oldest first. @throws PB_UNDO_INCOMPLETE where the record of one is gone */
async function withEarlier(runs: string, { run, record }: KnownRun): Promise<RunRecord[]> {
  const { resumes } = record.begun;
  if (resumes === undefined) return [record];
  const earlier = await knownRun(runs, resumes);
  // What it changed would stay, and the undo would count as whole.
  if (earlier === undefined)
    throw new PlaybookError("PB_UNDO_INCOMPLETE", [run, resumes], { state: "nothing was undone" });
  return [...(await withEarlier(runs, earlier)), record];
}

function refuseNothing({ run }: KnownRun, { plan, stays }: UndoPlan): void {
  if (plan.nodes.length > 0) return;
  const why = stays.length === 0 ? "it changed nothing" : stays.join("; ");
  throw new PlaybookError("PB_UNDO_NOTHING", [run, why]);
}

function heading({ run, record: { begun } }: KnownRun, { plan, forks }: UndoPlan): string[] {
  const hosts = new Set(plan.nodes.map(({ actsOn }) => actsOn));
  const back = plan.steps.filter(({ label }) => label.startsWith("undo "));
  const rolls =
    forks === undefined ? [] : [`As a step of it rolls: ${plural(forks, "host")} at a time.`];
  return [
    `Undoing ${run}: ${begun.playbook}, begun ${localTime(begun.at)} by ${begun.by.user}.`,
    `${plural(back.length, "step")} on ${plural(hosts.size, "host")} go back, newest first.`,
    ...rolls,
  ];
}
