import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PlaybookError } from "#engine/errors/error.ts";
import { cacheHome as userCache } from "#engine/host/xdg.ts";
import { type EntryRecord, markUsed, readRecord, writeRecord } from "./entry-record.ts";
import { withLock } from "./lock.ts";

/** Which thing, in which version, for which machine: names its folder in the cache. */
export interface EntryKey {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

/** A folder in the cache that is whole: written beside, renamed, with the checksum of each file. */
export interface Entry extends EntryRecord {
  readonly dir: string;
  /** It was there already. */
  readonly cached: boolean;
}

/** The user's cache folder of this product. */
export const cacheHome = (env: NodeJS.ProcessEnv = process.env): string =>
  join(userCache(env), "run-playbook");

/** Where an entry is, or would be. */
export const entryDir = (home: string, { name, version, arch }: EntryKey): string =>
  join(home, "artifacts", name, version, arch);

/**
 * The entry of that key: from the cache where its files are what they were, else made by `make`, which fills an empty
 * folder and says where the content came from. Two runs never make the same entry at once: the second waits.
 */
export async function obtainEntry(
  place: { readonly home: string; readonly signal: AbortSignal },
  key: EntryKey,
  make: (dir: string) => Promise<string>,
): Promise<Entry> {
  const dir = entryDir(place.home, key);
  await markUsed(dir);
  const there = await readRecord(dir);
  if (there !== undefined) return { ...there, dir, cached: true };
  await mkdir(dirname(dir), { recursive: true });
  return withLock({ name: dir, signal: place.signal }, async () => {
    const meanwhile = await readRecord(dir);
    if (meanwhile !== undefined) return { ...meanwhile, dir, cached: true };
    return { ...(await fill(dir, make)), dir, cached: false };
  });
}

async function fill(dir: string, make: (dir: string) => Promise<string>): Promise<EntryRecord> {
  await clearPartials(dir);
  const partial = `${dir}${PARTIAL}${randomUUID().slice(0, 8)}`;
  const began = performance.now();
  try {
    await mkdir(partial);
    const source = await make(partial);
    const ms = Math.round(performance.now() - began);
    const record = await writeRecord(partial, { source, ms });
    // What stood there did not pass its own checksums, or readRecord had returned it.
    await rm(dir, { recursive: true, force: true });
    await rename(partial, dir);
    return record;
  } catch (error) {
    throw unwritable(error)
      ? new PlaybookError("PB_CACHE_UNWRITABLE", [dir, error.message])
      : error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** What is still being made stands beside its entry, with this behind the entry's name. */
export const PARTIAL = ".partial-";

// Left by a run that was killed: whoever holds the lock is the only one alive here.
async function clearPartials(dir: string): Promise<void> {
  for (const name of await readdir(dirname(dir)))
    if (name.startsWith(basename(dir) + PARTIAL))
      await rm(join(dirname(dir), name), { recursive: true, force: true });
}

const unwritable = (error: unknown): error is Error =>
  error instanceof Error &&
  "code" in error &&
  ["ENOSPC", "EDQUOT", "EROFS", "EACCES"].includes(String(error.code));
