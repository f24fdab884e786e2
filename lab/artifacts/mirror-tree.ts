import { randomUUID } from "node:crypto";
import { link, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ifPresent } from "./absent.ts";
import type { Entry } from "./cache.ts";

/**
 * Makes one folder in which every file of the entries stands at its HOST/PATH. Paths name versions, so all versions
 * that were ever prepared fit in one tree. Files are hard links into the cache: they cost nothing.
 */
export async function linkMirror(mirrorDir: string, entries: readonly Entry[]): Promise<void> {
  await Promise.all(
    entries.flatMap(({ dir, files }) =>
      Object.keys(files).map((path) => linkOne(join(dir, path), join(mirrorDir, path))),
    ),
  );
}

async function linkOne(from: string, to: string): Promise<void> {
  const [source, there] = await Promise.all([stat(from), ifPresent(stat(to))]);
  if (there?.ino === source.ino) return;
  await mkdir(dirname(to), { recursive: true });
  const beside = `${to}.${randomUUID().slice(0, 8)}`;
  try {
    await link(from, beside);
    await rename(beside, to);
  } finally {
    await rm(beside, { force: true });
  }
}
