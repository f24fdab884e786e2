import { machineArch } from "../artifacts/artifacts.ts";
import { cacheFolder } from "../state/paths.ts";
import { labVersions } from "../versions.ts";
import { prunableBases } from "./bases.ts";
import { prunableEntries } from "./entries.ts";
import { prunableFiles } from "./files.ts";
import { livingLabs } from "./living-labs.ts";
import type { Place, Prunable } from "./place.ts";
import { prunableImages } from "./registry.ts";

/** What can go, in the order in which it has to: an image is needed to find it in the registry. */
export interface Prunables {
  readonly items: readonly Prunable[];
  /** Because of which some things are kept. */
  readonly labs: readonly string[];
}

/** Looks through the cache; nothing is removed yet. */
export async function findPrunables(given: Partial<Place> = {}): Promise<Prunables> {
  const env = given.env ?? process.env;
  const labs = given.labs ?? (await livingLabs(env));
  const place: Place = {
    cache: cacheFolder(env),
    arch: machineArch(),
    versions: labVersions,
    now: Date.now(),
    ...given,
    env,
    labs,
  };
  const entries = await prunableEntries(place);
  const [images, bases, files] = await Promise.all([
    prunableImages(place, entries),
    prunableBases(place),
    prunableFiles(place),
  ]);
  return { items: [...images, ...entries, ...bases, ...files], labs: labs.names };
}
