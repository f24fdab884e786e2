import type { EntryKey } from "../artifacts/cache.ts";
import { labArtifacts } from "../artifacts/catalog/all.ts";
import { etcdModuleKey } from "../artifacts/catalog/etcd.ts";
import { kubernetesModuleKey } from "../artifacts/catalog/kubernetes.ts";
import { imageEntry } from "../images/images.ts";
import { imageNamesKey, knownImageNames } from "../images/names.ts";
import { registryProgramKey } from "../registry/registry.ts";
import type { Place } from "./place.ts";

/** Whether this version's catalogue names a cache entry. */
export async function namedEntries(
  place: Pick<Place, "cache" | "arch" | "versions">,
): Promise<(key: EntryKey) => boolean> {
  const { cache: home, arch, versions } = place;
  const named = new Set(
    [
      ...Object.values(labArtifacts(versions, arch)).map(({ name, version }) => ({
        name,
        version,
        arch,
      })),
      kubernetesModuleKey(versions.kubernetes, arch),
      etcdModuleKey(versions.etcd, arch),
      registryProgramKey(versions.registry, arch),
      imageNamesKey(versions, arch),
    ].map(idOf),
  );
  const images = (await knownImageNames(versions, { home, arch }))?.map(imageEntry);
  const isNamedImage = (key: EntryKey): boolean => {
    const { name, version } = key;
    // Which images there are is known only once it was asked: until then every one may be named.
    if (images === undefined) return isImage(key);
    return images.some((image) => image.name === name && image.tag === tagOf(version));
  };
  return (key) => named.has(idOf(key)) || (key.arch === arch && isNamedImage(key));
}

/** Whether an entry is an image, not the list of their names. */
export const isImage = ({ name }: EntryKey): boolean => /^image-(?!names$)/.test(name);

/** The image's tag in the version of its entry: the hash behind it tells what it was made of. */
export const tagOf = (version: string): string => version.replace(/-[0-9a-f]{12}$/, "");

const idOf = ({ name, version, arch }: EntryKey): string => `${name}/${version}/${arch}`;
