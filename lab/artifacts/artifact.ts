import type { Entry } from "./cache.ts";

/** GOARCH's word for a processor; upstream's file names use it too. */
export type Arch = "amd64" | "arm64";

/** A file as upstream publishes it; both paths are HOST/PATH, which is also where a mirror serves it. */
export interface ReleaseFile {
  readonly path: string;
  readonly checksums: string;
}

/** What a build needs of its surroundings. */
export interface Workshop {
  /** The product's cache folder: go.mod files and logs are kept there. */
  readonly home: string;
  readonly arch: Arch;
  readonly signal: AbortSignal;
}

/** Something that the lab's hosts or images need: released files, and how to make the same ones here. */
export interface Artifact {
  readonly name: string;
  readonly version: string;
  readonly files: readonly ReleaseFile[];
  /** Upstream publishes them with checksums; else only a given mirror or a build has them. */
  readonly released: boolean;
  /** Measured on 2 cores with empty caches; what this machine measured last goes before it. */
  readonly buildMs: number;
  /** Writes each file at `dir`/PATH; checksum files are written by the caller. */
  readonly build: (workshop: Workshop, dir: string) => Promise<void>;
}

/** An artifact whose files are here. */
export interface Obtained {
  readonly artifact: Artifact;
  readonly entry: Entry;
}

/** For programs that upstream does not publish as files: a place in the mirror's layout. */
export const ownFile = (name: string, version: string, arch: Arch): ReleaseFile => {
  const path = `built/${name}/${version}/linux/${arch}/${name}`;
  return { path, checksums: `${path}.sha256` };
};
