import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isPlaybookError } from "#engine/errors/error.ts";
import { type EntryKey, entryDir, PARTIAL } from "../artifacts/cache.ts";
import { lastUsed } from "../artifacts/entry-record.ts";
import { withLock } from "../artifacts/lock.ts";
import { orMissing } from "../machine/files.ts";
import { diskUse } from "./disk-use.ts";
import { unlinkMirror } from "./mirror.ts";
import { isImage, namedEntries, tagOf } from "./named.ts";
import { type Place, type Prunable, unused } from "./place.ts";

/** A cache entry that can go. */
export interface PrunableEntry extends Prunable {
  readonly key: EntryKey;
  readonly dir: string;
}

interface Found extends EntryKey {
  readonly dir: string;
  /** The entry whose lock protects it; a draft of a killed build has that of what it was to be. */
  readonly lock: string;
  /** Undefined where it is not whole. */
  readonly used: number | undefined;
}

/** Programs and images in the cache that the catalogue does not name, or that nobody used for long. */
export async function prunableEntries(place: Place): Promise<PrunableEntry[]> {
  const found = await entriesIn(place.cache);
  const isNamed = await namedEntries(place);
  const doomed = found.flatMap((entry) => {
    const why = whyNot(entry, { place, isNamed, found });
    return why === undefined ? [] : [{ ...entry, why }];
  });
  const bytes = await diskUse(doomed.map(({ dir }) => dir));
  return doomed.map((entry) => ({
    key: entry,
    dir: entry.dir,
    what: `${entry.name} ${entry.version}`,
    why: entry.why,
    bytes: bytes.get(entry.dir) ?? 0,
    remove: () => removeEntry(entry, join(place.cache, "mirror")),
  }));
}

interface Judged {
  readonly place: Place;
  readonly isNamed: (key: EntryKey) => boolean;
  readonly found: readonly Found[];
}

function whyNot(entry: Found, { place, isNamed, found }: Judged): string | undefined {
  if (entry.used === undefined) return "left by a build that was killed";
  if (entry.used >= place.labs.since) return undefined;
  // The registry of a lab holds images, too, and is only cleared where there is none.
  if (isImage(entry) && place.labs.names.length > 0) return undefined;
  if (!isNamed(entry)) return "not in this version's catalogue";
  if (found.some((other) => replaces(other, entry))) return "made anew since";
  return unused(entry.used, place);
}

// The same image with another hash was made of other programs or by another recipe.
const replaces = (other: Found, { name, version, arch, used }: Found): boolean =>
  isImage(other) &&
  other.name === name &&
  other.arch === arch &&
  tagOf(other.version) === tagOf(version) &&
  (other.used ?? 0) > (used ?? 0);

async function entriesIn(cache: string): Promise<Found[]> {
  const artifacts = join(cache, "artifacts");
  const entries: Found[] = [];
  for (const name of await foldersIn(artifacts))
    for (const version of await foldersIn(join(artifacts, name)))
      for (const folder of await foldersIn(join(artifacts, name, version))) {
        const [arch = ""] = folder.split(PARTIAL);
        const dir = join(artifacts, name, version, folder);
        const lock = entryDir(cache, { name, version, arch });
        const used = folder === arch ? await lastUsed(dir) : undefined;
        entries.push({ name, version, arch, dir, lock, used });
      }
  return entries;
}

const foldersIn = async (folder: string): Promise<string[]> =>
  ((await orMissing(readdir(folder, { withFileTypes: true }))) ?? [])
    .filter((item) => item.isDirectory())
    .map(({ name }) => name);

async function removeEntry({ dir, lock, used }: Found, mirror: string): Promise<boolean> {
  const signal = AbortSignal.timeout(60_000);
  try {
    return await withLock({ name: lock, signal, patienceMs: 1 }, async () => {
      if ((await lastUsed(dir)) !== used) return false;
      await unlinkMirror(mirror, dir);
      await rm(dir, { recursive: true, force: true });
      await leaveNoFolder(dirname(dir));
      return true;
    });
  } catch (error) {
    if (isPlaybookError(error) && error.code === "PB_ARTIFACT_LOCKED") return false;
    throw error;
  }
}

// The last version of a thing takes the thing's folder with it, and how long its builds took.
async function leaveNoFolder(version: string): Promise<void> {
  if ((await readdir(version)).length > 0) return;
  await rmdir(version);
  const name = dirname(version);
  if ((await foldersIn(name)).length === 0) await rm(name, { recursive: true });
}
