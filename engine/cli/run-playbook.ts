import { resolve } from "node:path";
import type { Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { PlaybookError } from "../errors/error.ts";
import { askSecret } from "./ask.ts";
import { isFile, knownPlaybooks } from "./find-file.ts";
import type { Io } from "./io.ts";
import { loadInventory } from "./load-inventory.ts";
import { loadPlaybook } from "./load-playbook.ts";
import type { CliOptions } from "./options.ts";
import { planAndRun } from "./plan-and-run.ts";
import type { Named } from "./plan-file.ts";
import { loadSsh } from "./transports.ts";

interface Surroundings {
  readonly io: Io;
  /** Prints the general help. */
  help(): void;
}

/** `run-playbook PLAYBOOK`: load, plan, ask, run; gives the exit code. */
export async function runPlaybook(
  called: string | undefined,
  flags: CliOptions,
  { io, help }: Surroundings,
): Promise<number> {
  const { given, options, applied } = await named(called, flags, io.cwd);
  if (applied !== undefined && options.list === true) {
    const { planList } = await import("../plan-file/words.ts");
    io.stdout.write(planList(applied));
    return 0;
  }
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
  const asked = { ...options, ...(lab === undefined ? {} : { lab }) };
  const inventory = await inventoryFor(playbook, asked, io);
  const ask = (question: string) => askSecret(question, io);
  return planAndRun({
    word: name,
    playbook,
    inventory,
    options: asked,
    io,
    ask,
    ...(applied === undefined ? {} : { applied }),
  });
}

const connects = ({ help, list, graph }: CliOptions): boolean =>
  help !== true && list !== true && graph !== true;

// Most calls have no plan file, and need not load what knows of them.
async function named(given: string | undefined, options: CliOptions, cwd: string): Promise<Named> {
  if (options.planOut === undefined && options.applyPlan === undefined) return { given, options };
  const { namedByPlan } = await import("./plan-file.ts");
  return namedByPlan(given, options, cwd);
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
