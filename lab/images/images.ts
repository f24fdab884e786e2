import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PlaybookError } from "#engine/errors/error.ts";
import { type Member, packed, unpackMember } from "../artifacts/archive.ts";
import type { Obtained, Workshop } from "../artifacts/artifact.ts";
import { type EntryKey, obtainEntry } from "../artifacts/cache.ts";
import type { LabArtifact } from "../artifacts/catalog/all.ts";
import { reported } from "../artifacts/reported.ts";
import { inScratch } from "../artifacts/scratch.ts";
import type { ReportProgress } from "../progress.ts";
import type { LabVersions } from "../versions.ts";
import { imageNames } from "./names.ts";
import { type Descriptor, writeImage } from "./oci.ts";
import { type ImageProgram, type ImageRecipe, imageRecipes } from "./recipes.ts";

/** Counts with each change of how images are written, so that caches notice. */
const FORMAT = 1;

/** An image as an OCI layout in the cache. */
export interface Image {
  /** Its full name: registry.k8s.io/pause:3.10.2. */
  readonly ref: string;
  readonly dir: string;
  readonly manifest: Descriptor;
}

interface Ingredients extends Workshop {
  readonly programs: Readonly<Record<LabArtifact, Obtained>>;
  readonly report: ReportProgress;
}

/** Every image that a lab's cluster pulls, by full name. */
export async function buildImages(
  from: Ingredients,
  versions: LabVersions,
): Promise<Record<string, Image>> {
  const { kubeadm, agnhost } = from.programs;
  const asked = { versions, kubeadm: onlyFile(kubeadm), agnhost: onlyFile(agnhost) };
  const recipes = imageRecipes(`etcd-${versions.etcd}-linux-${from.arch}`);
  const images: Record<string, Image> = {};
  for (const ref of await imageNames(asked, from)) {
    const recipe = recipes[shortName(ref)];
    checkTag(ref, versions);
    if (recipe === undefined) throw new Error(`no recipe makes the image ${ref}`);
    images[ref] = await buildImage(ref, recipe, from);
  }
  return images;
}

/** The cache entries of all that was ever made of an image: NAME/TAG-HASH. */
export const imageEntry = (ref: string): { readonly name: string; readonly tag: string } => ({
  name: `image-${shortName(ref)}`,
  tag: tagOf(ref),
});

const shortName = (ref: string): string => ref.replace(/^.*\//, "").replace(/:.*$/, "");

const tagOf = (ref: string): string => ref.replace(/^.*:/, "");

// From the cache where the same recipe with the same programs made it before.
async function buildImage(ref: string, recipe: ImageRecipe, from: Ingredients): Promise<Image> {
  const key = imageKey(ref, recipe, from);
  const label = `image ${ref}`;
  const began = performance.now();
  const entry = await obtainEntry(from, key, (dir) =>
    reported({ report: from.report, label }, async () => {
      await inScratch(async (scratch) => {
        const layers = await layersOf(recipe, from, scratch);
        await writeImage(dir, { arch: from.arch, config: recipe.config, layers });
      });
      return "made here";
    }),
  );
  const ms = Math.round(performance.now() - began);
  if (entry.cached) from.report({ type: "done", label, ms, cached: true });
  return { ref, dir: entry.dir, manifest: await manifestOf(entry.dir) };
}

// An image whose tag promises another version than is in it would mislead everyone who looks.
function checkTag(ref: string, { etcd, coredns }: LabVersions): void {
  const [name, tag] = [shortName(ref), tagOf(ref)];
  const promised = name === "etcd" ? `v${tag.replace(/-\d+$/, "")}` : tag;
  const programs: Readonly<Record<string, string>> = { etcd, coredns };
  const inside = programs[name];
  if (inside !== undefined && inside !== promised)
    throw new PlaybookError("PB_LAB_VERSIONS", [ref, name, inside]);
}

function imageKey(ref: string, recipe: ImageRecipe, { programs, arch }: Ingredients): EntryKey {
  const used: LabArtifact[] = recipe.programs.map(({ artifact }) => artifact);
  if (recipe.debian) used.push("debianBase");
  // Of the programs alone: checksum files differ between sources.
  const contents = used.map((name) => {
    const { artifact, entry } = programs[name];
    return artifact.files.map(({ path }) => entry.files[path]?.sha256);
  });
  const made = JSON.stringify([FORMAT, recipe, contents]);
  const hash = createHash("sha256").update(made).digest("hex").slice(0, 12);
  const { name, tag } = imageEntry(ref);
  return { name, version: `${tag}-${hash}`, arch };
}

async function layersOf(recipe: ImageRecipe, from: Ingredients, scratch: string) {
  const members: Member[] = [
    {
      name: "etc/passwd",
      mode: 0o644,
      content: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    },
    { name: "etc/group", mode: 0o644, content: "root:x:0:\nnogroup:x:65534:\n" },
    { name: "tmp/", mode: 0o1777, directory: true },
    ...(recipe.extra ?? []),
  ];
  for (const program of recipe.programs) {
    const file = await programFile(program, from, scratch);
    members.push({ name: program.to, mode: 0o755, file });
  }
  const base = recipe.debian ? [createReadStream(onlyFile(from.programs.debianBase))] : [];
  return [...base, packed(members)];
}

async function programFile(program: ImageProgram, from: Ingredients, scratch: string) {
  const file = onlyFile(from.programs[program.artifact]);
  if (program.member === undefined) return file;
  const to = join(scratch, program.to);
  if (await unpackMember(file, program.member, to)) return to;
  throw new Error(`${file} holds no ${program.member}`);
}

/** The path of an artifact that is one file. */
export function onlyFile({ artifact, entry }: Obtained): string {
  const [file] = artifact.files;
  if (file === undefined) throw new Error(`${artifact.name} has no file`);
  return join(entry.dir, file.path);
}

const Index = z.object({
  manifests: z.tuple([z.object({ mediaType: z.string(), digest: z.string(), size: z.number() })]),
});

/** Names the image's manifest. */
export async function manifestOf(dir: string): Promise<Descriptor> {
  const index = Index.parse(JSON.parse(await readFile(join(dir, "index.json"), "utf8")));
  return index.manifests[0];
}
