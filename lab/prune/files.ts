import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { orMissing } from "../machine/files.ts";
import { type Place, type Prunable, unused } from "./place.ts";

/** Debian packages that no host asked for in a long time, and logs of builds of long ago: one thing each. */
export async function prunableFiles(place: Place): Promise<Prunable[]> {
  const packages = await old(join(place.cache, "apt"), place, (name) => !name.includes("."));
  const logs = await old(join(place.cache, "logs"), place, (name) => name.endsWith(".log"));
  return [...together("Debian packages", packages), ...together("logs", logs)];
}

interface OldFile {
  readonly paths: readonly string[];
  readonly used: number;
  readonly bytes: number;
  readonly mark: string;
}

// What the package proxy kept has its description beside it, whose time says when it was last asked for.
async function old(
  folder: string,
  place: Place,
  isOne: (name: string) => boolean,
): Promise<OldFile[]> {
  const names = new Set(await orMissing(readdir(folder)));
  const found: OldFile[] = [];
  for (const name of [...names].filter(isOne)) {
    const about = names.has(`${name}.json`) ? [join(folder, `${name}.json`)] : [];
    const paths = [...about, join(folder, name)];
    const [mark = ""] = paths;
    const stats = await Promise.all(paths.map((path) => orMissing(stat(path))));
    const used = stats[0]?.mtimeMs;
    if (used === undefined || unused(used, place) === undefined) continue;
    const bytes = stats.reduce((sum, file) => sum + (file?.blocks ?? 0) * 512, 0);
    found.push({ paths, used, bytes, mark });
  }
  return found;
}

function together(what: string, files: readonly OldFile[]): Prunable[] {
  if (files.length === 0) return [];
  return [
    {
      what: `${files.length} ${what}`,
      why: "unused for 30 days",
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      async remove() {
        for (const { mark, used, paths } of files) {
          if ((await orMissing(stat(mark)))?.mtimeMs !== used) continue;
          for (const path of paths) await rm(path, { force: true });
        }
        return true;
      },
    },
  ];
}
