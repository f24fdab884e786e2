import { readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { ifPresent } from "./absent.ts";
import { renderSums, sha256File } from "./checksum.ts";

/** Standard format, so that `sha256sum -c SHA256SUMS` checks an entry too. */
const SUMS = "SHA256SUMS";
const RECORD = "entry.json";

const FileRecord = z.object({
  sha256: z.string(),
  size: z.number(),
  /** With size, tells cheaply that a file is the one that was hashed. */
  mtimeMs: z.number(),
});

const EntryRecord = z.object({
  /** Where the content came from, in words for people. */
  source: z.string(),
  /** How long that took. */
  ms: z.number(),
  files: z.record(z.string(), FileRecord),
});

/** What is known of a whole cache entry; paths are relative to its folder. */
export type EntryRecord = z.infer<typeof EntryRecord>;

/** Hashes each file of the folder and keeps what it found beside them. */
export async function writeRecord(
  dir: string,
  made: Pick<EntryRecord, "source" | "ms">,
): Promise<EntryRecord> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true });
  const files: EntryRecord["files"] = {};
  for (const path of found
    .filter((item) => item.isFile())
    .map((item) => relative(dir, join(item.parentPath, item.name)))
    .sort())
    files[path] = await hashed(join(dir, path));
  const sums = Object.entries(files).map(([path, { sha256 }]) => ({ path, sha256 }));
  await writeFile(join(dir, SUMS), renderSums(sums));
  const record = { ...made, files };
  await writeFile(join(dir, RECORD), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

/**
 * The record of an entry whose files are the recorded ones; undefined where there is none, or where a file is missing
 * or differs. Hashes only files whose size or time changed.
 */
export async function readRecord(dir: string): Promise<EntryRecord | undefined> {
  const text = await ifPresent(readFile(join(dir, RECORD), "utf8"));
  if (text === undefined) return undefined;
  const { success, data } = EntryRecord.safeParse(parsed(text));
  if (!success) return undefined;
  const same = await Promise.all(
    Object.entries(data.files).map(([path, file]) => unchanged(join(dir, path), file)),
  );
  return same.every(Boolean) ? data : undefined;
}

/** Notes that the entry is used now: the time of its record says when it was last. A cache that is only read has no notes. */
export async function markUsed(dir: string): Promise<void> {
  const now = new Date();
  await ifPresent(utimes(join(dir, RECORD), now, now)).catch((error: NodeJS.ErrnoException) => {
    if (!["EROFS", "EACCES", "EPERM"].includes(error.code ?? "")) throw error;
  });
}

/** When the entry was last used, in ms since 1970; undefined where there is no whole one. */
export const lastUsed = async (dir: string): Promise<number | undefined> =>
  (await ifPresent(stat(join(dir, RECORD))))?.mtimeMs;

const hashed = async (path: string): Promise<z.infer<typeof FileRecord>> => {
  const { size, mtimeMs } = await stat(path);
  return { sha256: await sha256File(path), size, mtimeMs };
};

async function unchanged(path: string, file: z.infer<typeof FileRecord>): Promise<boolean> {
  const now = await ifPresent(stat(path));
  if (now === undefined || now.size !== file.size) return false;
  return now.mtimeMs === file.mtimeMs || (await sha256File(path)) === file.sha256;
}

// A record cut off by a full disk counts as none: the entry is made again.
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};
