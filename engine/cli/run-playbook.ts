import { resolve } from "node:path";
import type { Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { PlaybookError } from "../errors/error.ts";
import { askSecret, confirm } from "./ask.ts";
import { systemClock } from "./clock.ts";
import { isFile, knownPlaybooks } from "./find-file.ts";
import type { Io } from "./io.ts";
import { loadInventory } from "./load-inventory.ts";
import { loadPlaybook } from "./load-playbook.ts";
import type { CliOptions } from "./options.ts";
import { parseParams } from "./params.ts";
import { pickRenderer } from "./renderer.ts";
import { listenForSignals } from "./signals.ts";
import { loadSsh, transports } from "./transports.ts";

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
  if (connects(options)) await loadSsh();
  const playbook = await loadPlaybook(name, io.cwd);
  if (options.help === true) {
    const { playbookHelp } = await import("./playbook-help.ts");
    io.stdout.write(playbookHelp(name, playbook));
    return 0;
  }
  const inventory = await inventoryFor(playbook, { ...options, lab }, io);
  return planAndRun({ playbook, inventory, options, io });
}

const connects = ({ help, list, graph }: CliOptions): boolean =>
  help !== true && list !== true && graph !== true;

interface Job {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly options: CliOptions;
  readonly io: Io;
}

async function planAndRun({ playbook, inventory, options, io }: Job): Promise<number> {
  const { plan, run } = await import("../run/run.ts");
  const { limit, only, forks, check, list, graph, yes } = options;
  const wanted = {
    params: parseParams(options.param ?? []),
    ...(limit === undefined ? {} : { limit }),
    ...(only === undefined ? {} : { only }),
  };
  const planned = plan(playbook, inventory, wanted);
  if (list === true || graph === true) {
    const { planGraph, planList } = await import("./show-plan.ts");
    io.stdout.write(graph === true ? planGraph(planned) : planList(planned));
    return 0;
  }
  if (planned.question !== undefined && check !== true)
    await confirm(planned.question, io, yes === true);
  const renderer = await pickRenderer(options, io);
  const signals = listenForSignals(process, (message) => renderer.note(message));
  try {
    const { exitCode } = await run(playbook, inventory, {
      ...wanted,
      mode: check === true ? "check" : "apply",
      ...(forks === undefined ? {} : { forks }),
      emit: (event) => renderer.emit(event),
      stop: signals.stop,
      cut: signals.cut,
      transports,
      clock: systemClock,
      ask: (question) => askSecret(question, io),
    });
    return exitCode;
  } finally {
    signals.release();
    await renderer.end();
  }
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

async function inventoryFor(
  playbook: Playbook,
  {
    inventory,
    lab,
    yes,
  }: Pick<CliOptions, "inventory" | "yes"> & { lab: CliOptions["lab"] | undefined },
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
