import { stat } from "node:fs/promises";
import { isPlaybookError } from "../errors/error.ts";
import { orAbsent, removeRunFolder, runFolder, runNames } from "./folder.ts";
import { runStanding } from "./runs.ts";

/** How many runs are kept whatever became of them, and for how long all those that are not finished; the latter in ms. */
const KEPT = 200;
const UNFINISHED_FOR = 30 * 24 * 3_600_000;

/**
 * Takes away what nobody will ask for any more; oldest first, so that no run outlives the one that goes on with it. Runs
 * that begin in the same moment do so side by side.
 */
export async function pruneRuns(runs: string, now: number): Promise<void> {
  for (const run of (await runNames(runs)).slice(KEPT).reverse())
    if (await isPast(runs, run, now)) await removeRunFolder(runFolder(runs, run));
}

async function isPast(runs: string, run: string, now: number): Promise<boolean> {
  const { path, journal } = runFolder(runs, run);
  const written = (await orAbsent(stat(journal))) ?? (await orAbsent(stat(path)));
  if (written === undefined) return false;
  const known = await runStanding(runs, run).catch((error: unknown) => {
    if (isPlaybookError(error)) return undefined;
    throw error;
  });
  if (known?.standing === "running") return false;
  const finished = known?.standing === "converged" || known?.resumedAs !== undefined;
  return finished || now - written.mtimeMs > UNFINISHED_FOR;
}
