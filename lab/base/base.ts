import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { sh } from "#engine/host/command.ts";
import type { AptSettings } from "../machine/apt-settings.ts";
import { debootstrapFrom } from "../machine/debootstrap.ts";
import { orMissing, readText } from "../machine/files.ts";
import { run } from "../machine/run.ts";
import { timed } from "../machine/timed.ts";
import type { ReportProgress } from "../progress.ts";
import { takeLock } from "../state/lock.ts";
import { customise } from "./customise.ts";
import { baseRecipe } from "./recipe.ts";

/** First build on 2 cores; later ones are expected to take what the last one took. */
const MEASURED_MS = 35_000;
const LABEL = "Debian root for the hosts";
const DRAFT = ".draft";

/** Where a base is made, and unmade: a folder of that name is none. */
export const draftOf = (root: string): string => `${root}${DRAFT}`;
export const isDraft = (name: string): boolean => name.endsWith(DRAFT);

/** Where bases are. */
export const basesFolder = (cache: string): string => join(cache, "base");

/** Held by whoever makes a base. */
export const baseLock = (bases: string): string => join(bases, "base.lock");

/** Folder of the Debian root that hosts stand on: from the cache, or built now. */
export async function ensureBase(
  cache: string,
  settings: () => Promise<AptSettings>,
  report: ReportProgress,
): Promise<string> {
  const bases = basesFolder(cache);
  const root = join(bases, baseHash());
  if (await orMissing(readdir(root))) return cached(root, report);

  // Two labs that start at once need one base, not two.
  await using _lock = await takeLock(baseLock(bases), "the base", { seconds: 600 });
  if (await orMissing(readdir(root))) return cached(root, report);
  await clearDrafts(bases);
  const lastMs = Number((await readText(join(bases, "build-ms"))) ?? MEASURED_MS);
  const start = performance.now();
  await timed(report, { label: LABEL, expectedMs: lastMs }, async () => {
    const draft = draftOf(root);
    await debootstrap(draft, await settings());
    await customise(draft);
    await rename(draft, root);
  });
  await markBaseUsed(root);
  await writeFile(join(bases, "build-ms"), String(Math.round(performance.now() - start)));
  return root;
}

/** Names the base by all that goes into it. */
export function baseHash(): string {
  const content = JSON.stringify({ recipe: baseRecipe, arch: arch() });
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

async function cached(root: string, report: ReportProgress): Promise<string> {
  await markBaseUsed(root);
  report({ type: "done", label: LABEL, ms: 0, cached: true });
  return root;
}

/** Beside the base: the time of this file says when a lab last asked for it. */
export const usedMark = (root: string): string => `${root}.used`;

const markBaseUsed = (root: string): Promise<void> =>
  writeFile(usedMark(root), `${new Date().toISOString()}\n`);

// A build that was killed leaves its draft; nobody else can be building, for we hold the lock.
async function clearDrafts(bases: string): Promise<void> {
  for (const name of await readdir(bases))
    if (isDraft(name)) await rm(join(bases, name), { recursive: true });
}

async function debootstrap(root: string, apt: AptSettings): Promise<void> {
  const { suite, components, packages } = baseRecipe;
  const { options, sources } = debootstrapFrom(apt, { suite, components });
  await mkdir(root, { recursive: true });
  const command = sh`mmdebstrap --mode=root --format=directory --variant=minbase --include=${packages.join(",")} ${options} ${suite} ${root} ${sources}`;
  await run(command, 900);
}
