import { runsFolder } from "../journal/folder.ts";
import type { Journal } from "../journal/journal.ts";
import { earlierOf, lineOf } from "../journal/record.ts";
import type { Plan } from "../plan/plan.ts";
import { lastingSteps } from "../plan/undo.ts";
import { describeError } from "../report/print.ts";
import type { Recap } from "../run/recap.ts";
import { newRunId } from "../run/run-id.ts";
import { stopReason } from "../run/stop.ts";
import { confirm } from "./ask.ts";
import { systemClock } from "./clock.ts";
import type { Job } from "./job.ts";
import { operator } from "./operator.ts";
import type { CliOptions } from "./options.ts";
import { parseParams } from "./params.ts";
import type { PlanFileRun } from "./plan-file.ts";
import { pickRenderer } from "./renderer.ts";
import { runWindow } from "./run-window.ts";
import { listenForSignals } from "./signals.ts";
import { transports } from "./transports.ts";

/** What of a job makes its plan. */
export const wantedOf = ({ limit, only, param = [] }: CliOptions) => ({
  params: parseParams(param),
  ...(limit === undefined ? {} : { limit }),
  ...(only === undefined ? {} : { only }),
});

async function planFileOf(job: Job, planned: Plan): Promise<PlanFileRun | undefined> {
  const { planOut, applyPlan } = job.options;
  if (planOut === undefined && applyPlan === undefined) return undefined;
  const { planFileRun } = await import("./plan-file.ts");
  return planFileRun(job, planned);
}

/** Plans a job, asks the playbook's question, and runs it with its journal. */
export async function planAndRun(job: Job): Promise<number> {
  const { playbook, inventory, options, io } = job;
  const { plan, run } = await import("../run/run.ts");
  const { forks, check, list, graph, yes } = options;
  const wanted = wantedOf(options);
  const planned = job.undoes?.plan ?? plan(playbook, inventory, wanted);
  const window = await runWindow(options.window, playbook, systemClock);
  if (list === true || graph === true) {
    const { planGraph, planList } = await import("./show-plan.ts");
    io.stdout.write(graph === true ? planGraph(planned) : planList(planned));
    return 0;
  }
  // What changes nothing may run at any time; who took an hour to answer may have missed the window.
  const hours = check === true ? undefined : window;
  hours?.requireOpen();
  const planFile = await planFileOf(job, planned);
  if (check !== true && job.resumes === undefined && job.undoes === undefined) await tellOwed(job);
  if (planned.question !== undefined && check !== true) {
    const question = [...lastingSteps(planned), planned.question].join("\n");
    await confirm(question, io, yes === true);
  }
  hours?.requireOpen();
  const id = newRunId(systemClock.now());
  const journal = check === true ? undefined : await begin(job, planned, id);
  const renderer = await pickRenderer(options, io);
  const note = (message: string) => renderer.note(message);
  const again = journal && `run-playbook resume ${id}`;
  const signals = listenForSignals(process, note, again);
  const closing = hours?.watch(note);
  const stop = closing === undefined ? signals.stop : AbortSignal.any([signals.stop, closing.stop]);
  stop.addEventListener("abort", () => journal?.stopping(stopReason(stop)?.kind ?? "interrupted"));
  const lookFirst = planFile?.options.lookFirst;
  let recap: Recap;
  try {
    if (lookFirst !== undefined)
      renderer.note("Every host is looked at again before the first change.");
    recap = await run(playbook, inventory, {
      ...wanted,
      plan: planned,
      id,
      mode: check === true ? "check" : "apply",
      ...(forks === undefined ? {} : { forks }),
      witnesses: [...(planFile?.options.witnesses ?? []), ...(journal ? [journal.witness] : [])],
      ...(job.resumes && {
        resumes: lineOf(job.resumes.begun),
        earlier: earlierOf(job.resumes),
      }),
      emit: (event) => {
        journal?.emit(event);
        renderer.emit(event);
      },
      stop,
      cut: signals.cut,
      transports,
      clock: systemClock,
      operator: operator(io.env),
      lastTook: () => lastTook(job, { run: id, playbook: planned.playbook }),
      ask: job.ask,
      ...(lookFirst && { lookFirst }),
    });
  } finally {
    signals.release();
    closing?.release();
    await journal?.close().catch((error: unknown) => renderer.note(describeError(error).message));
    await renderer.end();
  }
  const said = await planFile?.finish(recap);
  if (said !== undefined) io.stderr.write(`${said}\n`);
  return recap.exitCode;
}

async function tellOwed(job: Job): Promise<void> {
  const { owedByNewest } = await import("./owed.ts");
  const owed = await owedByNewest(job);
  if (owed !== undefined) job.io.stderr.write(`${owed}\n`);
}

async function lastTook({ io }: Job, of: { readonly run: string; readonly playbook: string }) {
  const { lastTookBefore } = await import("../journal/durations.ts");
  return lastTookBefore(runsFolder(io.env), of);
}

async function begin(job: Job, plan: Plan, id: string): Promise<Journal> {
  const { beginJournal } = await import("./journal.ts");
  const params = wantedOf(job.options).params;
  return beginJournal(job, { id, plan, params, now: () => systemClock.now() });
}
