import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isPlaybookError } from "#engine/errors/error.ts";
import { baseHash, baseLock, basesFolder, draftOf, isDraft, usedMark } from "../base/base.ts";
import { orMissing } from "../machine/files.ts";
import { takeLock } from "../state/lock.ts";
import { diskUse } from "./disk-use.ts";
import { type Place, type Prunable, unused } from "./place.ts";

/** Debian roots that another recipe made, or that no lab asked for in a long time; never one that a lab stands on. */
export async function prunableBases(place: Place): Promise<Prunable[]> {
  const bases = basesFolder(place.cache);
  const found = (await orMissing(readdir(bases, { withFileTypes: true }))) ?? [];
  const doomed: { name: string; root: string; why: string }[] = [];
  for (const { name } of found.filter((item) => item.isDirectory())) {
    const root = join(bases, name);
    const why = place.labs.bases.has(root) ? undefined : await whyNot(root, name, place);
    if (why !== undefined) doomed.push({ name, root, why });
  }
  const bytes = await diskUse(doomed.map(({ root }) => root));
  return doomed.map(({ name, root, why }) => ({
    what: `Debian root ${name}`,
    why,
    bytes: bytes.get(root) ?? 0,
    remove: () => removeBase(root, bases),
  }));
}

async function whyNot(root: string, name: string, place: Place): Promise<string | undefined> {
  if (isDraft(name)) return "left by a build that was killed";
  if (name !== baseHash()) return "made by another version's recipe";
  const used = (await orMissing(stat(usedMark(root)))) ?? (await stat(root));
  return unused(used.mtimeMs, place);
}

// Under another name first: what is half removed must not be found and taken for a base.
async function removeBase(root: string, bases: string): Promise<boolean> {
  try {
    await using _lock = await takeLock(baseLock(bases), "the base", { seconds: 1 });
    const draft = isDraft(root) ? root : draftOf(root);
    if (draft !== root) await rename(root, draft);
    await rm(draft, { recursive: true });
    await rm(usedMark(root), { force: true });
    return true;
  } catch (error) {
    if (isPlaybookError(error) && error.code === "PB_LAB_BUSY") return false;
    throw error;
  }
}
