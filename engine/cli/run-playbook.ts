import { resolve } from "node:path";
import type { Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { PlaybookError } from "../errors/error.ts";
import type { Journal } from "../journal/journal.ts";
import { earlierOf } from "../journal/record.ts";
import type { Plan } from "../plan/plan.ts";
import { describeError } from "../report/print.ts";
import { newRunId } from "../run/run-id.ts";
import { stopReason } from "../run/stop.ts";
import { askSecret, confirm } from "./ask.ts";
import { systemClock } from "./clock.ts";
import { isFile, knownPlaybooks } from "./find-file.ts";
import type { Io } from "./io.ts";
import type { Job } from "./job.ts";
import { loadInventory } from "./load-inventory.ts";
import { loadPlaybook } from "./load-playbook.ts";
import { operator } from "./operator.ts";
import type { CliOptions } from "./options.ts";
import { parseParams } from "./params.ts";
import { pickRenderer } from "./renderer.ts";
import { runWindow } from "./run-window.ts";
import { listenForSignals } from "./signals.ts";
import { transports } from "./transports.ts";

interface Surroundings {
  readonly io: Io;
  /** Prints the general help. */
  help(): void;
}

/** `run-playbook PLAYBOOK`: load, plan, ask, run; gives the exit code. */
export async function runPlaybook(
  given: string | undefined,
  options: CliOptions,
  { io, help }: Surroundings,
): Promise<number> {
  const { name, lab } = names(given, options, io.cwd);
  if (name === undefined) {
    if (options.help !== true) throw nothingNamed(io.cwd);
    help();
    return 0;
  }
  const playbook = await loadPlaybook(name, io.cwd);
  if (options.help === true) {
    const { playbookHelp } = await import("./playbook-help.ts");
    io.stdout.write(playbookHelp(name, playbook));
    return 0;
  }
  const asked = { ...options, ...(lab === undefined ? {} : { lab }) };
  const inventory = await inventoryFor(playbook, asked, io);
  const ask = (question: string) => askSecret(question, io);
  return planAndRun({ word: name, playbook, inventory, options: asked, io, ask });
}

/** What of a job makes its plan. */
export const wantedOf = ({ limit, only, param = [] }: CliOptions) => ({
  params: parseParams(param),
  ...(limit === undefined ? {} : { limit }),
  ...(only === undefined ? {} : { only }),
});

/** Plans a job, asks the playbook's question, and runs it with its journal. */
export async function planAndRun(job: Job): Promise<number> {
  const { playbook, inventory, options, io } = job;
  const { plan, run } = await import("../run/run.ts");
  const { forks, check, list, graph, yes } = options;
  const wanted = wantedOf(options);
  const planned = plan(playbook, inventory, wanted);
  const window = await runWindow(options.window, playbook, systemClock);
  if (list === true || graph === true) {
    const { planGraph, planList } = await import("./show-plan.ts");
    io.stdout.write(graph === true ? planGraph(planned) : planList(planned));
    return 0;
  }
  // What changes nothing may run at any time; who took an hour to answer may have missed the window.
  const hours = check === true ? undefined : window;
  hours?.requireOpen();
  if (planned.question !== undefined && check !== true)
    await confirm(planned.question, io, yes === true);
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
  try {
    const { exitCode } = await run(playbook, inventory, {
      ...wanted,
      id,
      mode: check === true ? "check" : "apply",
      ...(forks === undefined ? {} : { forks }),
      witnesses: journal === undefined ? [] : [journal.witness],
      ...(job.resumes && {
        resumes: job.resumes.begun.run,
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
      ask: job.ask,
    });
    return exitCode;
  } finally {
    signals.release();
    closing?.release();
    await journal?.close().catch((error: unknown) => renderer.note(describeError(error).message));
    await renderer.end();
  }
}

async function begin(job: Job, plan: Plan, id: string): Promise<Journal> {
  const { beginJournal } = await import("./journal.ts");
  const params = wantedOf(job.options).params;
  return beginJournal(job, { id, plan, params, now: () => systemClock.now() });
}

// "--lab bootstrap.ts" reads as a lab of that name: the name of a lab never looks like a playbook's.
function names(given: string | undefined, { lab }: CliOptions, cwd: string) {
  if (given !== undefined || typeof lab !== "string") return { name: given, lab };
  const isPlaybook = /\.[cm]?[jt]s$/.test(lab) || isFile(resolve(cwd, lab));
  return isPlaybook ? { name: lab, lab: true as const } : { name: undefined, lab };
}

function nothingNamed(cwd: string): PlaybookError {
  const known = knownPlaybooks(cwd);
  const [example = "mine.ts"] = known;
  const here = known.length === 0 ? "" : ` There are ${known.join(", ")}.`;
  return new PlaybookError("PB_USAGE", ["No playbook is named."], {
    hint: `For example: run-playbook ${example} --check.${here} \`run-playbook --help\` shows more.`,
  });
}

/** The inventory that the command line names, else the playbook's own, where there is one. */
export async function inventoryFor(
  playbook: Playbook | undefined,
  { inventory, lab, yes }: Pick<CliOptions, "inventory" | "lab" | "yes">,
  io: Io,
): Promise<Inventory> {
  if (lab === undefined) return loadInventory(playbook, inventory, io.cwd);
  if (inventory !== undefined)
    throw new PlaybookError("PB_USAGE", [
      "--lab brings an inventory of its own: --inventory does not go with it.",
    ]);
  const { useLab } = await import("./lab.ts");
  return loadInventory(playbook, await useLab(lab, yes === true, io), io.cwd);
}
