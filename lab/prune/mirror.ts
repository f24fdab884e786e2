import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { orMissing } from "../machine/files.ts";

/** Takes an entry's files out of the mirror's tree, where they are hard links, and the folders that are empty then. */
export async function unlinkMirror(mirror: string, entry: string): Promise<void> {
  const inodes = new Set<number>();
  for await (const { ino } of filesBelow(entry)) inodes.add(ino);
  for await (const { path, ino } of filesBelow(mirror)) if (inodes.has(ino)) await rm(path);
  const folders = await orMissing(readdir(mirror, { recursive: true, withFileTypes: true }));
  const deepestFirst = (folders ?? [])
    .filter((item) => item.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort((a, b) => b.length - a.length);
  for (const folder of deepestFirst) if ((await readdir(folder)).length === 0) await rmdir(folder);
}

async function* filesBelow(folder: string) {
  const found = await orMissing(readdir(folder, { recursive: true, withFileTypes: true }));
  for (const item of (found ?? []).filter((each) => each.isFile())) {
    const path = join(item.parentPath, item.name);
    const file = await orMissing(stat(path));
    if (file !== undefined) yield { path, ino: file.ino };
  }
}
