import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { errnoCode, errnoText } from "../host/errno.ts";
import { stateHome } from "../host/xdg.ts";

/** One run's files. */
export interface RunFolder {
  readonly path: string;
  readonly journal: string;
  /** What prints in the journal are keyed with. */
  readonly key: string;
  /** What the files begin with that say which run goes on with this one: `-1`, and `-2` where that never began. */
  readonly resumed: string;
}

/** Where this user's runs are kept: `$XDG_STATE_HOME/run-playbook/runs`. */
export const runsFolder = (env: Readonly<Record<string, string | undefined>>): string =>
  join(stateHome(env), "run-playbook", "runs");

/** Where a run's files are, whether or not they are there. */
export function runFolder(runs: string, run: string): RunFolder {
  const inside = (name: string) => join(runs, run, name);
  return {
    path: join(runs, run),
    journal: inside("journal.jsonl"),
    key: inside("key"),
    resumed: inside("resumed"),
  };
}

/**
 * Makes the folder of a new run, with a new key in it; only this user may look. It outlives a power cut from here on.
 * @throws PB_JOURNAL_UNWRITABLE
 */
export async function makeRunFolder(runs: string, run: string): Promise<[RunFolder, Uint8Array]> {
  const folder = runFolder(runs, run);
  const key = randomBytes(32);
  await orUnwritable(folder.journal, async () => {
    const made = await mkdir(runs, { recursive: true, mode: 0o700 });
    await mkdir(folder.path, { mode: 0o700 });
    await writeFile(folder.key, key, { mode: 0o600, flag: "wx", flush: true });
    await writeFile(folder.journal, "", { mode: 0o600, flag: "wx" });
    const above = made === undefined ? [] : foldersBetween(runs, dirname(made));
    for (const parent of [folder.path, runs, ...above]) await syncFolder(parent);
  });
  return [folder, key];
}

/** A run's key. @throws PB_RUNS_UNREADABLE */
export async function readKey({ key }: RunFolder): Promise<Uint8Array> {
  const read = await orAbsent(readFile(key));
  if (read === undefined) throw new PlaybookError("PB_RUNS_UNREADABLE", [key, "it is not there"]);
  return read;
}

/** Takes the files of a run away that never began. */
export const removeRunFolder = ({ path }: RunFolder): Promise<void> =>
  rm(path, { recursive: true, force: true });

/** The names of all runs, newest first; what else lies in their folder is no run. @throws PB_RUNS_UNREADABLE */
export async function runNames(runs: string): Promise<string[]> {
  try {
    const found = await readdir(runs, { withFileTypes: true });
    const folders = found.filter((entry) => entry.isDirectory());
    return folders
      .map(({ name }) => name)
      .sort()
      .reverse();
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return [];
    throw new PlaybookError("PB_RUNS_UNREADABLE", [runs, errnoText(error)], {}, { cause: error });
  }
}

/** Gives what goes wrong with a journal's file its name. */
export async function orUnwritable<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isPlaybookError(error)) throw error;
    throw new PlaybookError(
      "PB_JOURNAL_UNWRITABLE",
      [path, errnoText(error)],
      {},
      { cause: error },
    );
  }
}

/** Undefined in place of what is not there, or was taken away meanwhile. @throws PB_RUNS_UNREADABLE */
export async function orAbsent<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    const code = errnoCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === undefined || isPlaybookError(error)) throw error;
    const { path = "the run's folder" } = error as NodeJS.ErrnoException;
    throw new PlaybookError("PB_RUNS_UNREADABLE", [path, errnoText(error)], {}, { cause: error });
  }
}

const foldersBetween = (below: string, top: string): string[] =>
  below === top ? [] : [dirname(below), ...foldersBetween(dirname(below), top)];

// The name of a new file is data of its folder.
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await folder.sync().finally(() => folder.close());
}
