import { existsSync } from "node:fs";
import { glob, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { manifestOf } from "../images/images.ts";
import { orMissing } from "../machine/files.ts";
import { run } from "../machine/run.ts";
import { collectGarbage } from "../registry/registry.ts";
import type { PrunableEntry } from "./entries.ts";
import { livingLabs } from "./living-labs.ts";
import type { Place, Prunable } from "./place.ts";

/** What the lab's registry holds of the images that go; its own garbage collector takes it out. */
export async function prunableImages(
  place: Place,
  entries: readonly PrunableEntry[],
): Promise<Prunable[]> {
  const registry = join(place.cache, "registry");
  if (!existsSync(join(registry, "registry"))) return [];
  const { going, staying } = await layouts(place.cache, new Set(entries.map(({ dir }) => dir)));
  const kept = new Set((await Promise.all(staying.map(digestsIn))).flat());
  const digests = new Set((await Promise.all(going.map(digestsIn))).flat());
  const storage = join(registry, "storage/docker/registry/v2");
  let bytes = 0;
  for (const digest of [...digests].filter((each) => !kept.has(each))) {
    const blob = join(storage, "blobs/sha256", digest.slice(0, 2), digest, "data");
    bytes += ((await orMissing(stat(blob)))?.blocks ?? 0) * 512;
  }
  if (bytes === 0) return [];
  return [
    {
      what: "images in the registry",
      why: "as the images themselves",
      bytes,
      async remove() {
        // A collector of garbage wants nobody to push meanwhile.
        if ((await livingLabs(place.env)).names.length > 0) return false;
        const manifests = await Promise.all(
          going.map(async (dir) => (await manifestOf(dir)).digest),
        );
        await untag(join(storage, "repositories"), new Set(manifests));
        await run(collectGarbage(registry), 300);
        return true;
      },
    },
  ];
}

/** Every image in the cache: those that go, and those that stay. */
async function layouts(cache: string, doomed: ReadonlySet<string>) {
  const [going, staying]: [string[], string[]] = [[], []];
  for await (const index of glob("artifacts/image-*/*/*/index.json", { cwd: cache })) {
    const dir = join(cache, dirname(index));
    (doomed.has(dir) ? going : staying).push(dir);
  }
  return { going, staying };
}

const digestsIn = (layout: string): Promise<string[]> => readdir(join(layout, "blobs", "sha256"));

// Only a tag holds a manifest: without one, it and what nobody else needs of it are garbage.
async function untag(repositories: string, manifests: ReadonlySet<string>): Promise<void> {
  for await (const link of glob("**/_manifests/tags/*/current/link", { cwd: repositories })) {
    const path = join(repositories, link);
    if (manifests.has((await readFile(path, "utf8")).trim()))
      await rm(dirname(dirname(path)), { recursive: true });
  }
}
