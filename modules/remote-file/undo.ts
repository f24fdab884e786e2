/** The way back of a remote file: nobody keeps what was there, but where it came from may be known. */
import {
  type Change,
  PlaybookError,
  remove,
  run,
  script,
  setAttributes,
  sh,
} from "#engine/index.ts";
import { attributeDifference } from "../managed-file.ts";
import { undoFolders } from "../undo-file.ts";
import type { Unpacking, Want } from "./params.ts";
import { fetching, type Now, recordOf, wantedSha } from "./place.ts";
import { CLEAR } from "./scripts.ts";

/** Where the members that are named go; empty where all are unpacked. */
export const membersOf = ({ path, unpack }: Want): string[] =>
  (unpack?.only ?? []).map((member) => {
    const parts = member.split("/").filter((part) => part !== ".");
    return [path, ...parts.slice(unpack?.strip ?? 0)].join("/");
  });

export function* undoPlain(before: Now, now: Now, want: Want): Generator<Change> {
  const { path } = want;
  const { stat, recorded } = before;
  if (stat === undefined) {
    if (now.stat !== undefined) yield remove(path);
    if (recorded === undefined && now.recorded !== undefined) yield remove(recordOf(want));
    yield* undoFolders(before.lacks, now.lacks);
    return;
  }
  const stays = stat.kind === "file" && before.sha256 === wantedSha(before, want);
  const isKnown = stat.kind === "file" && recorded?.sha === before.sha256;
  if ((want.state === "absent" || !stays) && !isKnown)
    throw new PlaybookError("PB_UNDO_LOST", [path, "where it came from is not known"]);
  const { mode, owner, group } = stat;
  if (now.sha256 !== before.sha256) {
    const from = { url: recorded?.url, sha256: recorded?.sha, sha256Url: undefined };
    const place = { to: path, record: recordOf(want), was: "" };
    yield fetching(now, { ...want, ...from, mode, owner, group }, place);
    return;
  }
  const say = now.stat === undefined ? undefined : attributeDifference(now.stat, stat);
  if (say !== undefined) yield setAttributes(path, { mode, owner, group }, `${path}: ${say}`);
}

export function* undoUnpacked(
  before: Now,
  now: Now,
  want: Want & { readonly unpack: Unpacking },
): Generator<Change> {
  refuseLost(before, want);
  if (before.recorded !== undefined) return;
  const { path } = want;
  if (now.recorded !== undefined)
    yield run(script(CLEAR, path, recordOf(want)), `remove what was unpacked into ${path}`);
  if (before.lacks.includes(path) && !now.lacks.includes(path))
    yield run(sh`find ${path} -mindepth 1 -depth -type d -empty -delete`, `empty ${path}`);
  yield* undoFolders(before.lacks, now.lacks);
}

function refuseLost(before: Now, want: Want & { readonly unpack: Unpacking }): void {
  const { path, unpack, state } = want;
  const { recorded, overwrites, lacks } = before;
  const lost = (what: string, why: string) => new PlaybookError("PB_UNDO_LOST", [what, why]);
  if (recorded !== undefined) {
    if (state === "absent" || recorded.sha !== wantedSha(before, want))
      throw lost(path, "the version that is there is not kept");
  } else if (state === "present") {
    if (overwrites.length > 0)
      throw lost(overwrites.join(", "), "the archive's files take its place");
    if (unpack.only.length === 0 && !lacks.includes(path))
      throw lost(path, "which of its files the archive replaces is not known");
  }
}
