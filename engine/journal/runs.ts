import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { PlaybookError } from "../errors/error.ts";
import { errnoCode } from "../host/errno.ts";
import { identify, isAlive } from "../host/process-identity.ts";
import { orUnwritable, type RunFolder, runFolder, runNames } from "./folder.ts";
import type { Begun } from "./format.ts";
import { readJournal } from "./read.ts";
import { type RunRecord, recordOf } from "./record.ts";

/** How a run stands. `killed` ended without a word; of `elsewhere` it cannot be seen from this machine. */
type Standing =
  | "running"
  | "killed"
  | "elsewhere"
  | "converged"
  | "failed"
  | "interrupted"
  | "window closed";

/** A run as its journal tells, and how it stands now. */
export interface KnownRun {
  readonly run: string;
  readonly folder: RunFolder;
  readonly record: RunRecord;
  readonly standing: Standing;
  /** The run that goes on with it. */
  readonly resumedAs: string | undefined;
}

/** Reads one run; undefined where nothing was begun under that name. @throws PB_JOURNAL_BROKEN, PB_JOURNAL_NEWER */
export async function knownRun(runs: string, run: string): Promise<KnownRun | undefined> {
  const folder = runFolder(runs, run);
  const journal = await orAbsent(readJournal(folder.journal));
  if (journal === undefined) return undefined;
  const record = recordOf(journal);
  const standing = await standingOf(record);
  return { run, folder, record, standing, resumedAs: await resumedAs(runs, folder) };
}

/** The run of a name, or of the beginning of one. @throws PB_RUN_UNKNOWN, PB_RUN_AMBIGUOUS */
export async function findRun(runs: string, name: string): Promise<KnownRun> {
  const names = await runNames(runs);
  const beginning = name === "" ? [] : names.filter((each) => each.startsWith(name));
  const matching = names.includes(name) ? [name] : beginning;
  const [first, second] = matching;
  if (second !== undefined) throw new PlaybookError("PB_RUN_AMBIGUOUS", [name, matching]);
  const found = first === undefined ? undefined : await knownRun(runs, first);
  if (found === undefined) throw new PlaybookError("PB_RUN_UNKNOWN", [name, names.slice(0, 5)]);
  return found;
}

/** The newest run that has something left to do and that no other one goes on with. @throws PB_RUN_NONE_LEFT */
export async function lastUnfinished(runs: string): Promise<KnownRun> {
  for (const name of await runNames(runs)) {
    const found = await knownRun(runs, name);
    if (found === undefined || found.resumedAs !== undefined) continue;
    if (found.standing !== "converged") return found;
  }
  throw new PlaybookError("PB_RUN_NONE_LEFT", []);
}

/** Makes one run the one that goes on with another: of two that try, one gets it. @throws PB_RUN_RESUMED */
export async function claim(runs: string, run: string, as: string): Promise<void> {
  const folder = runFolder(runs, run);
  const other = await resumedAs(runs, folder);
  if (other !== undefined) throw new PlaybookError("PB_RUN_RESUMED", [run, other]);
  // Who has claimed it before never began: its name is taken by ours.
  const flag = (await orAbsent(readFile(folder.resumed))) === undefined ? "wx" : "w";
  await orUnwritable(folder.resumed, async () => {
    try {
      await writeFile(folder.resumed, as, { flag, mode: 0o600, flush: true });
    } catch (error) {
      if (errnoCode(error) !== "EEXIST") throw error;
      const winner = await readFile(folder.resumed, "utf8");
      throw new PlaybookError("PB_RUN_RESUMED", [run, winner]);
    }
  });
}

async function resumedAs(runs: string, { resumed }: RunFolder): Promise<string | undefined> {
  const as = (await orAbsent(readFile(resumed, "utf8")))?.trim();
  if (as === undefined || as === "") return undefined;
  // A run that was refused before it touched anything took its journal away again.
  const began = await orAbsent(readFile(runFolder(runs, as).journal));
  return began === undefined ? undefined : as;
}

async function standingOf({ begun, over }: RunRecord): Promise<Standing> {
  if (over !== undefined) return byExitCode[over.exitCode] ?? "failed";
  if (await isAlive(begun.by)) return "running";
  return (await isThisMachine(begun)) ? "killed" : "elsewhere";
}

const byExitCode: Readonly<Record<number, Standing>> = {
  0: "converged",
  1: "failed",
  4: "window closed",
  130: "interrupted",
};

// A name may change, and be given twice; that a machine is up since then cannot be.
async function isThisMachine({ by }: Begun): Promise<boolean> {
  if (by.machine === hostname()) return true;
  const [boot, process] = by.started.split("/");
  const self = (await identify(globalThis.process.pid))?.started.split("/")[0];
  return process !== undefined && boot === self;
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (errnoCode(error) === "ENOENT" || errnoCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
