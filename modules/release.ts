/** Programs as their projects publish them: where they are, how they are checked, how they are kept on a host. */
import { z } from "zod";
import { type Change, type Host, PlaybookError } from "#engine/index.ts";
import { State, Url } from "./params.ts";
import { remoteFile } from "./remote-file/remote-file.ts";
import { foldersLast } from "./undo-file.ts";

/** Where releases come from; the upstream addresses where neither is given. */
export const Source = z
  .strictObject({
    mirror: Url.optional().describe(
      "Serves each upstream address under its host and path: <mirror>/dl.k8s.io/release/…",
    ),
    folder: z
      .string()
      .optional()
      .describe("In place of a mirror: a folder of the control machine with the same layout."),
  })
  .refine(({ mirror, folder }) => mirror === undefined || folder === undefined, {
    message: "expected either mirror or folder",
  });
type Source = z.output<typeof Source>;

/** What every module of a release takes besides its version. */
export const ReleaseParams = {
  source: Source.default({}).describe("Where it comes from; the upstream address unless given."),
  state: State,
};

/** A version with its v: v2.2.1. */
export const Version = z
  .string()
  .regex(/^v\d+\.\d+\.\d+(-[\w.]+)?$/, "expected a version such as v2.2.1");

/** One published file, and what becomes of it on the host. */
export interface Release {
  /** Host and path of the upstream address. */
  readonly from: string;
  /** The same for its checksum. */
  readonly sums: string;
  readonly path: string;
  /** For archives: which members go to `path`, and how many folders of their names are dropped. */
  readonly unpack?: { readonly strip: number; readonly only: readonly string[] };
}

const locate = ({ mirror, folder }: Source, { from, sums }: Release) => {
  if (folder !== undefined) return { from: `${folder}/${from}` };
  const base = mirror === undefined ? "https:/" : mirror.replace(/\/$/, "");
  return { url: `${base}/${from}`, sha256Url: `${base}/${sums}` };
};

const paramsOf = (from: { source: Source; state?: "present" | "absent" }, release: Release) =>
  remoteFile.spec.params.parse({
    state: from.state,
    path: release.path,
    ...locate(from.source, release),
    ...(release.unpack === undefined ? { mode: 0o755 } : { unpack: release.unpack }),
  });

/** What a host has of some releases: remote-file's findings, with what was looked for. */
export type ReleasesNow = readonly {
  readonly now: Record<string, unknown>;
  readonly want: Record<string, unknown>;
}[];

/** Looks at all of them together; `from` is where they come from, and whether they should be there. */
export async function readReleases(
  host: Host,
  from: { source: Source; state?: "present" | "absent" },
  releases: readonly Release[],
): Promise<ReleasesNow> {
  const read = async (release: Release) => {
    const want = paramsOf(from, release);
    return { now: await remoteFile.spec.read(host, want), want };
  };
  return Promise.all(releases.map(read));
}

/** What brings them to their versions. */
export function* keepReleases(found: ReleasesNow): Generator<Change> {
  for (const { now, want } of found) yield* remoteFile.spec.diff(now, want);
}

/** Back to what the host had of them. @throws PB_UNDO_LOST where that was another version that nobody keeps */
export function* undoReleases(before: ReleasesNow, now: ReleasesNow): Generator<Change> {
  const each = [...before.entries()].toReversed();
  yield* foldersLast(
    each.flatMap(([index, { now: was, want }]) => [
      ...(remoteFile.spec.undo?.(was, now[index]?.now ?? was, want) ?? []),
    ]),
  );
}

const published = ["amd64", "arm64"];

/** The host's architecture as releases name it. @throws PB_UNSUPPORTED_HOST where nothing is published */
export function releaseArch({ facts }: Host): string {
  if (!published.includes(facts.arch))
    throw new PlaybookError("PB_UNSUPPORTED_HOST", [
      `Architecture ${facts.arch}`,
      published.join(" or "),
    ]);
  return facts.arch;
}
