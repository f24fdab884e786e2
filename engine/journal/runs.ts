import { link, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { errnoCode } from "../host/errno.ts";
import { identify, isAlive } from "../host/process-identity.ts";
import { orAbsent, orUnwritable, type RunFolder, runFolder, runNames } from "./folder.ts";
import type { Begun } from "./format.ts";
import { type Ends, readEnds, readJournal } from "./read.ts";
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
  return { run, folder, record, ...(await standingOf(runs, folder, record)) };
}

/** How a run stands, by the ends of its journal. @throws PB_JOURNAL_BROKEN, PB_JOURNAL_NEWER */
export async function runStanding(
  runs: string,
  run: string,
): Promise<(Ends & Pick<KnownRun, "standing" | "resumedAs">) | undefined> {
  const folder = runFolder(runs, run);
  const ends = await orAbsent(readEnds(folder.journal));
  return ends === undefined ? undefined : { ...ends, ...(await standingOf(runs, folder, ends)) };
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

/**
 * The newest run that has something left to do and that no other one goes on with. A journal that cannot be read is told,
 * and hides no other run. @throws PB_RUN_NONE_LEFT
 */
export async function lastUnfinished(
  runs: string,
  unread: (error: PlaybookError) => void,
): Promise<KnownRun> {
  for (const name of await runNames(runs)) {
    const found = await knownRun(runs, name).catch((error: unknown) => {
      if (!isPlaybookError(error)) throw error;
      unread(error);
      return undefined;
    });
    if (found === undefined || found.resumedAs !== undefined) continue;
    if (found.standing !== "converged") return found;
  }
  throw new PlaybookError("PB_RUN_NONE_LEFT", []);
}

/** Makes one run the one that goes on with another: of two that try, one gets it. @throws PB_RUN_RESUMED */
export async function claim(runs: string, run: string, as: string): Promise<void> {
  const folder = runFolder(runs, run);
  const { number, by } = await lastClaim(folder);
  if (await began(runs, by)) throw new PlaybookError("PB_RUN_RESUMED", [run, by]);
  // Who has claimed it before never began: ours is the next one. A link has its content from the first moment on.
  const [mine, next] = [`${folder.resumed}.${as}`, `${folder.resumed}-${number + 1}`];
  await orUnwritable(next, async () => {
    await writeFile(mine, as, { mode: 0o600, flush: true });
    try {
      await link(mine, next);
    } catch (error) {
      if (errnoCode(error) !== "EEXIST") throw error;
      throw new PlaybookError("PB_RUN_RESUMED", [run, await readFile(next, "utf8")]);
    } finally {
      await rm(mine);
    }
  });
}

async function resumedAs(runs: string, folder: RunFolder): Promise<string | undefined> {
  const { by } = await lastClaim(folder);
  return (await began(runs, by)) ? by : undefined;
}

/** How many claimed a run, and the name of the last one; "" where nobody has. */
async function lastClaim({ path, resumed }: RunFolder): Promise<{ number: number; by: string }> {
  // Its folder may be taken away at any moment, by a run that begins.
  const numbers = ((await orAbsent(readdir(path))) ?? []).map((name) =>
    Number(/^resumed-(\d+)$/.exec(name)?.[1] ?? 0),
  );
  const number = Math.max(0, ...numbers);
  const claimed = number > 0 && (await orAbsent(readFile(`${resumed}-${number}`, "utf8")));
  return { number, by: claimed || "" };
}

// A run that was refused before it touched anything took its journal away again.
const began = async (runs: string, run: string): Promise<boolean> =>
  run !== "" && (await orAbsent(readFile(runFolder(runs, run).journal))) !== undefined;

async function standingOf(runs: string, folder: RunFolder, ends: Pick<Ends, "begun" | "over">) {
  return { standing: await standing(ends), resumedAs: await resumedAs(runs, folder) };
}

async function standing({ begun, over }: Pick<Ends, "begun" | "over">): Promise<Standing> {
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
