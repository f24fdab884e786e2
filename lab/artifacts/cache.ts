import { randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { type EntryRecord, readRecord, writeRecord } from "./entry-record.ts";
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
  join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "run-playbook");

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
  const partial = `${dir}.partial-${randomUUID().slice(0, 8)}`;
  const began = performance.now();
  try {
    await mkdir(partial);
    const source = await make(partial);
    const record = await writeRecord(partial, {
      source,
      ms: Math.round(performance.now() - began),
    });
    // What stood there did not pass its own checksums, or readRecord had returned it.
    await rm(dir, { recursive: true, force: true });
    await rename(partial, dir);
    return record;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
