import { join } from "node:path";
import { buildImages, type Image } from "../images/images.ts";
import type { ReportProgress } from "../progress.ts";
import { prepareRegistry } from "../registry/registry.ts";
import type { LabVersions } from "../versions.ts";
import type { Arch, Obtained } from "./artifact.ts";
import { cacheHome } from "./cache.ts";
import { type LabArtifact, labArtifacts } from "./catalog/all.ts";
import { linkMirror } from "./mirror-tree.ts";
import { obtain, type Supply } from "./obtain.ts";
import { givenSource, upstreamSource } from "./source.ts";

export interface ArtifactsRequest {
  readonly versions: LabVersions;
  /** A folder or http(s) URL laid out as the lab's mirror; what it has is taken from there. */
  readonly from?: string;
  readonly report: ReportProgress;
  readonly signal: AbortSignal;
}

/** All that the hosts of a lab download. */
export interface Artifacts {
  /** Each upstream URL's file at HOST/PATH: what mirrorService serves. */
  readonly mirrorDir: string;
  /** What registryService runs in; it keeps what was pushed, for all labs of this user. */
  readonly registryDir: string;
  /** By full name (registry.k8s.io/pause:3.10.2): what pushImages brings into the registry. */
  readonly images: Readonly<Record<string, Image>>;
}

/** Gets, or builds, everything once; after that it is all in the user's cache folder. */
export async function prepareArtifacts(request: ArtifactsRequest): Promise<Artifacts> {
  const { versions, from, report, signal } = request;
  const arch = machineArch();
  const home = cacheHome();
  const given = from === undefined ? [] : [await givenSource(from, signal)];
  const supply = { home, arch, signal, report, sources: [...given, upstreamSource(signal)] };
  const programs = await obtainAll(labArtifacts(versions, arch), supply);
  const mirrorDir = join(home, "mirror");
  const entries = Object.values(programs).map(({ entry }) => entry);
  await linkMirror(mirrorDir, entries);
  const registryDir = join(home, "registry");
  await prepareRegistry(registryDir, programs.registry, supply);
  return { mirrorDir, registryDir, images: await buildImages({ ...supply, programs }, versions) };
}

// One after the other: a go build uses every processor as it is.
async function obtainAll(
  artifacts: ReturnType<typeof labArtifacts>,
  supply: Supply,
): Promise<Record<LabArtifact, Obtained>> {
  const obtained: [string, Obtained][] = [];
  for (const [name, artifact] of Object.entries(artifacts))
    obtained.push([name, await obtain(artifact, supply)]);
  return Object.fromEntries(obtained) as Record<LabArtifact, Obtained>;
}

/** This machine's processor. */
export const machineArch = (): Arch => (process.arch === "arm64" ? "arm64" : "amd64");
