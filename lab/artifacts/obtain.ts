import { chmod, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isPlaybookError, PlaybookError } from "#engine/errors/error.ts";
import type { ReportProgress } from "../progress.ts";
import type { Artifact, Obtained, Workshop } from "./artifact.ts";
import { obtainEntry } from "./cache.ts";
import { checksumFor, renderSums, sha256File, verifyFile } from "./checksum.ts";
import { lastDuration, rememberDuration } from "./durations.ts";
import { asError, reported } from "./reported.ts";
import { BrokenOff, type Source } from "./source.ts";

/** Where artifacts come from, in order; what none of them has is built. */
export interface Supply extends Workshop {
  readonly sources: readonly Source[];
  readonly report: ReportProgress;
}

/** The artifact's files: cached, else from the first source that has them all, else built. */
export async function obtain(artifact: Artifact, supply: Supply): Promise<Obtained> {
  const { name, version } = artifact;
  const label = `${name} ${version}`;
  const began = performance.now();
  const entry = await obtainEntry(supply, { name, version, arch: supply.arch }, async (dir) => {
    const tried: string[] = [];
    for (const source of supply.sources) {
      const why = await deliver({ artifact, source, dir, supply });
      if (why === undefined) return source.label;
      tried.push(`${source.label}: ${why}`);
    }
    await built({ artifact, supply, dir, tried });
    return "built here with go";
  });
  if (entry.cached)
    supply.report({ type: "done", label, ms: Math.round(performance.now() - began), cached: true });
  return { artifact, entry };
}

interface Delivery {
  readonly artifact: Artifact;
  readonly source: Source;
  readonly dir: string;
  readonly supply: Supply;
}

/** All files of the artifact, each checked; else why not. A wrong checksum is an error: no other source is tried. */
async function deliver({ artifact, source, dir, supply }: Delivery): Promise<string | undefined> {
  if (source.official && !artifact.released) return "not published as files";
  const wanted = [];
  for (const { path, checksums } of artifact.files) {
    const answer = await source.text(checksums);
    if ("why" in answer) return answer.why;
    const sha256 = checksumFor(basename(path), answer.text);
    if (sha256 === undefined) return `${checksums} does not name ${basename(path)}`;
    wanted.push({ path, checksums, sha256, text: answer.text });
  }
  const label = `download ${artifact.name} ${artifact.version}`;
  const began = performance.now();
  supply.report({ type: "started", label });
  try {
    for (const { path, checksums, sha256, text } of wanted) {
      await source.file(path, join(dir, path));
      await verifyFile(join(dir, path), `${source.label}'s ${path}`, sha256);
      await chmod(join(dir, path), 0o755);
      await writeFile(join(dir, checksums), text);
    }
  } catch (error) {
    supply.report({ type: "failed", label, error: asError(error) });
    // A download that broke off leaves the next source; a file that is not what it should be leaves none.
    if (error instanceof BrokenOff) return error.message;
    throw error;
  }
  supply.report({ type: "done", label, ms: Math.round(performance.now() - began), cached: false });
  return undefined;
}

interface Build {
  readonly artifact: Artifact;
  readonly supply: Supply;
  readonly dir: string;
  readonly tried: readonly string[];
}

async function built({ artifact, supply, dir, tried }: Build): Promise<void> {
  const { name, version } = artifact;
  const kept = { home: supply.home, name };
  const expectedMs = (await lastDuration(kept)) ?? artifact.buildMs;
  const began = performance.now();
  const build = { report: supply.report, label: `build ${name} ${version}`, expectedMs };
  await reported(build, async () => {
    for (const { path } of artifact.files)
      await mkdir(dirname(join(dir, path)), { recursive: true });
    await artifact.build(supply, dir).catch((error: unknown) => {
      if (!isPlaybookError(error)) throw error;
      const all = [...tried, `a build: ${error.message}`];
      throw new PlaybookError(
        "PB_ARTIFACT_UNAVAILABLE",
        [`${name} ${version}`, all],
        error.context,
        {
          cause: error,
        },
      );
    });
    await writeChecksums(artifact, dir);
  });
  await rememberDuration({ ...kept, ms: Math.round(performance.now() - began) });
}

// In the shape upstream uses: one file may list several.
async function writeChecksums(artifact: Artifact, dir: string): Promise<void> {
  const lists = Map.groupBy(artifact.files, ({ checksums }) => checksums);
  for (const [list, files] of lists) {
    const sums = [];
    for (const { path } of files)
      sums.push({ path: basename(path), sha256: await sha256File(join(dir, path)) });
    const bare = list.startsWith("dl.k8s.io/");
    await writeFile(join(dir, list), bare ? `${sums[0]?.sha256}` : renderSums(sums));
  }
}
