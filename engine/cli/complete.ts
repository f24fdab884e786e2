import { globSync } from "node:fs";
import type { Command } from "commander";
import type { Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { runNames, runsFolder } from "../journal/folder.ts";
import { shells } from "./completion.ts";
import { knownPlaybooks } from "./find-file.ts";
import type { Io } from "./io.ts";
import { loadInventory } from "./load-inventory.ts";
import { loadPlaybook } from "./load-playbook.ts";
import { outputs } from "./options.ts";
import { buildProgram } from "./program.ts";

/** What the last word of a command line may become; nothing where that cannot be known. */
export async function complete(
  words: readonly string[],
  { cwd, env }: Pick<Io, "cwd" | "env">,
): Promise<string[]> {
  const current = words.at(-1) ?? "";
  const candidates = await candidatesFor(words.slice(0, -1), { current, cwd, env });
  return [...new Set(candidates)].filter((word) => word.startsWith(current) && word !== current);
}

interface Place extends Pick<Io, "cwd" | "env"> {
  readonly current: string;
}

async function candidatesFor(before: readonly string[], place: Place): Promise<string[]> {
  const [command] = before;
  if (command === "completion") return [...shells];
  if (command === "lab") {
    const { labCommand } = await import("#lab/cli.ts");
    return wordsOf(labCommand(), before.slice(1), place.current);
  }
  if (command === "unlock") return wordsAfterUnlock(before, place);
  if (command === "show" || command === "resume") {
    const names = place.current.startsWith("-") ? [] : await runNames(runsFolder(place.env));
    return [
      ...(names.length === 0 ? [] : ["last"]),
      ...names,
      ...wordsOf(program(), before, place.current),
    ];
  }
  if (command === "runs") return wordsOf(program(), before, place.current);
  const values = await valuesFor(before, place);
  if (values !== undefined) return values;
  if (place.current.startsWith("-")) return flagsOf(program());
  if (before.some(isPlaybookWord)) return [];
  const files = globSync("*.ts", { cwd: place.cwd });
  const commands = program().commands.map((each) => each.name());
  return [...commands, ...knownPlaybooks(place.cwd), ...files];
}

function program(): Command {
  const nothing = async () => undefined;
  const actions = { run: nothing, runs: nothing, show: nothing, resume: nothing, unlock: nothing };
  return buildProgram("", { ...actions, completion: nothing, lab: undefined });
}

/** The values of the option before the word; undefined where that takes none. */
async function valuesFor(
  before: readonly string[],
  { current, cwd }: Place,
): Promise<string[] | undefined> {
  switch (before.at(-1)) {
    case "--output":
      return [...outputs];
    case "-i":
    case "--inventory":
      return globSync(["inventory/*.ts", "*.ts"], { cwd });
    case "--apply-plan":
    case "--plan-out":
      return globSync("*.json", { cwd });
    case "--limit":
      return listItems(current, await hostsAndGroups(before, cwd));
    case "--only":
      return listItems(current, await stepLabels(before, cwd));
    case "--param":
      return Object.keys((await loaded(before, cwd))?.playbook.options.params?.shape ?? {}).map(
        (name) => `${name}=`,
      );
    default:
      return undefined;
  }
}

async function wordsAfterUnlock(
  before: readonly string[],
  { current, cwd }: Place,
): Promise<string[]> {
  if (current.startsWith("-")) return ["--inventory", "--lab", "--yes"];
  if (/^(-i|--inventory)$/.test(before.at(-1) ?? ""))
    return globSync(["inventory/*.ts", "*.ts"], { cwd });
  const inventory = await loadInventory(undefined, fileIn(before), cwd).catch(() => undefined);
  return Object.keys(inventory?.hosts ?? {}).filter((host) => !before.includes(host));
}

// "--limit cp1,w" goes on after the comma.
function listItems(current: string, names: readonly string[]): string[] {
  const done = current.slice(0, current.lastIndexOf(",") + 1);
  return names.map((name) => `${done}${name}`);
}

async function hostsAndGroups(before: readonly string[], cwd: string): Promise<string[]> {
  const inventory = (await loaded(before, cwd))?.inventory;
  if (inventory === undefined) return [];
  return [...Object.keys(inventory.groups), ...Object.keys(inventory.hosts)];
}

async function stepLabels(before: readonly string[], cwd: string): Promise<string[]> {
  const { playbook, inventory } = (await loaded(before, cwd)) ?? {};
  if (playbook === undefined || inventory === undefined) return [];
  const { plan } = await import("../run/run.ts");
  try {
    return plan(playbook, inventory).steps.map(({ label }) => label);
  } catch {
    // Parameters may still be missing from the line that is being typed.
    return [];
  }
}

async function loaded(
  before: readonly string[],
  cwd: string,
): Promise<{ playbook: Playbook; inventory: Inventory | undefined } | undefined> {
  const name = before.find(isPlaybookWord);
  if (name === undefined) return undefined;
  const file = fileIn(before);
  try {
    const playbook = await loadPlaybook(name, cwd);
    const inventory = await loadInventory(playbook, file, cwd).catch(() => undefined);
    return { playbook, inventory };
  } catch {
    // Somebody is typing: a playbook that does not load has no words to offer, and this is no time to say why.
    return undefined;
  }
}

function fileIn(before: readonly string[]): string | undefined {
  const flag = before.findIndex((word) => word === "-i" || word === "--inventory");
  return flag < 0 ? undefined : before[flag + 1];
}

const isPlaybookWord = (word: string): boolean => /^[^-].*\.[cm]?[jt]s$/.test(word);

function wordsOf(command: Command, before: readonly string[], current: string): string[] {
  const sub = command.commands.find((each) => before.includes(each.name()));
  if (sub !== undefined) return current.startsWith("-") ? flagsOf(sub) : [];
  return current.startsWith("-") ? flagsOf(command) : command.commands.map((each) => each.name());
}

const flagsOf = (command: Command): string[] => command.options.flatMap(({ long }) => long ?? []);
