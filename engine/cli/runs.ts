import { stat } from "node:fs/promises";
import { isPlaybookError } from "../errors/error.ts";
import { orAbsent, runFolder, runNames, runsFolder } from "../journal/folder.ts";
import { isSettled } from "../journal/record.ts";
import { findRun, type KnownRun, knownRun } from "../journal/runs.ts";
import { oneLine, pad, width } from "../report/text.ts";
import type { Io } from "./io.ts";
import type { RunsOptions, ShowOptions } from "./options.ts";
import { howItStands, localTime, runJson, runText } from "./show-run.ts";

const SHOWN = 20;
const NONE = "No run was made here yet.\n";

/** `run-playbook runs`: the newest runs of this user, or all. */
export async function printRuns({ all, output }: RunsOptions, io: Io): Promise<void> {
  const runs = runsFolder(io.env);
  const names = await runNames(runs);
  const shown = all === true ? names : names.slice(0, SHOWN);
  const rows: Row[] = [];
  for (const name of shown) rows.push(...(await rowOf(runs, name)));
  if (output === "json") {
    for (const row of rows) io.stdout.write(`${JSON.stringify(row)}\n`);
    return;
  }
  if (rows.length === 0) io.stdout.write(NONE);
  else io.stdout.write(`${table(rows).join("\n")}\n`);
  if (names.length > shown.length)
    io.stdout.write(`and ${names.length - shown.length} older; --all shows them\n`);
}

/** `run-playbook show RUN`. */
export async function printRun(name: string, { output }: ShowOptions, io: Io): Promise<void> {
  const runs = runsFolder(io.env);
  const newest = name === "last" ? await newestRun(runs) : name;
  if (newest === undefined) {
    io.stdout.write(NONE);
    return;
  }
  const known = await findRun(runs, newest);
  io.stdout.write(output === "json" ? runJson(known) : runText(known));
}

/** A folder without a journal is no run. */
async function newestRun(runs: string): Promise<string | undefined> {
  for (const name of await runNames(runs))
    if ((await orAbsent(stat(runFolder(runs, name).journal))) !== undefined) return name;
  return undefined;
}

interface Row {
  readonly run: string;
  readonly playbook: string;
  readonly begun: string;
  readonly ended: string;
  readonly left: string;
}

// One damaged journal must not hide all others.
async function rowOf(runs: string, name: string): Promise<Row[]> {
  try {
    const known = await knownRun(runs, name);
    return known === undefined ? [] : [rowFor(known)];
  } catch (error) {
    if (!isPlaybookError(error)) throw error;
    return [{ run: name, playbook: "", begun: "", ended: error.message, left: "" }];
  }
}

function rowFor(known: KnownRun): Row {
  const { begun, nodes, doubts } = known.record;
  const left = nodes.filter((node) => !isSettled(node)).length;
  const what = known.standing === "running" ? "under way" : "in doubt";
  const doubt = doubts.length === 0 ? "" : `, ${doubts.length} ${what}`;
  return {
    run: known.run,
    playbook: begun.playbook,
    begun: localTime(begun.at),
    ended: howItStands(known),
    left: left === 0 ? "nothing" : `${left} of ${nodes.length}${doubt}`,
  };
}

function table(rows: readonly Row[]): string[] {
  const columns = ["run", "playbook", "begun", "ended", "left"] as const;
  const titles = Object.fromEntries(columns.map((column) => [column, column])) as unknown as Row;
  const lines = [titles, ...rows].map((row) => columns.map((column) => oneLine(row[column])));
  const sizes = columns.map((_, index) =>
    Math.max(...lines.map((line) => width(line[index] ?? ""))),
  );
  return lines.map((line) =>
    line
      .map((cell, index) => pad(cell, sizes[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
