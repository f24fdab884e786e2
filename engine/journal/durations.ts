import { isPlaybookError } from "../errors/error.ts";
import type { LastTook } from "../run/left.ts";
import { runFolder, runNames } from "./folder.ts";
import { readBeginning, readJournal } from "./read.ts";

/** How far back runs are looked for, and how many of the playbook are read: a journal of a large run is megabytes. */
const LOOKED_AT = 100;
const READ = 10;

/** How long nodes took in the newest run of the same playbook in which they came to their goal. */
export async function lastTookBefore(
  runs: string,
  { run, playbook }: { readonly run: string; readonly playbook: string },
): Promise<LastTook> {
  const took = new Map<string, number>();
  let read = 0;
  for (const name of (await runNames(runs)).slice(0, LOOKED_AT)) {
    if (name === run || read === READ) continue;
    const path = runFolder(runs, name).journal;
    if ((await readable(readBeginning(path)))?.playbook !== playbook) continue;
    read += 1;
    for (const entry of (await readable(readJournal(path)))?.entries ?? [])
      if (entry.type === "ended" && (entry.outcome === "ok" || entry.outcome === "changed")) {
        const id = idOf(entry.step, entry.host);
        if (!took.has(id)) took.set(id, entry.ms);
      }
  }
  return (step, host) => took.get(idOf(step, host));
}

// It only makes an estimate better: a journal that is gone or damaged says nothing of it.
async function readable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isPlaybookError(error) || (error instanceof Error && "errno" in error)) return undefined;
    throw error;
  }
}

const idOf = (step: string, host: string): string => `${step}\0${host}`;
