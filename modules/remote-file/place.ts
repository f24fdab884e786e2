/** What is known of a remote file on a host, and how one is fetched to its place. */
import { type Change, type FileStat, PlaybookError, run, script } from "#engine/index.ts";
import type { Want } from "./params.ts";
import { FETCH } from "./scripts.ts";

export const store = "/var/lib/run-playbook/remote-file";

export interface Now {
  readonly tool: string;
  readonly stat: FileStat | undefined;
  /** The folders above it that are not there, outermost first; of an archive its own folder too. */
  readonly lacks: readonly string[];
  /** Where nothing of the archive was unpacked yet: what is at its members' places. */
  readonly overwrites: readonly string[];
  readonly recorded: { url: string; sha: string; broken: string; unpacked: string } | undefined;
  readonly fromSha: string | undefined;
  readonly sha256: string | undefined;
}

/** Fetches to a place, in place only once its checksum agreed. @throws PB_TOOL_MISSING */
export function fetching(
  now: Now,
  want: Want,
  place: { to: string; record: string; was: string },
): Change {
  const { url = "", sha256 = "", sha256Url = "", mode, owner, group = owner } = want;
  if (now.tool === "none")
    throw new PlaybookError("PB_TOOL_MISSING", ["curl, wget or python3", `it cannot fetch ${url}`]);
  const octal = mode.toString(8).padStart(4, "0");
  const args = [url, sha256, sha256Url, place.to, octal, `${owner}:${group}`, place.record];
  return run(script(FETCH, ...args), `fetch ${url} to ${place.to}${place.was}`, {
    timeout: want.timeout,
  });
}

// With sha256Url alone the checksum is known once it was fetched: it stands in the record, for that address.
export const wantedSha = (
  { recorded, fromSha }: Now,
  { sha256, url }: Want,
): string | undefined => {
  if (fromSha !== undefined && sha256 !== undefined && fromSha !== sha256)
    throw new PlaybookError("PB_CHECKSUM", ["the file on the control machine", fromSha, sha256]);
  return sha256 ?? fromSha ?? (recorded?.url === url ? recorded?.sha : undefined);
};

export const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/")) || "/";
export const sourceOf = ({ url, from }: Want) => url ?? from ?? "";
export const nameOf = (want: Want) =>
  want.name ?? (withoutVersion(sourceOf(want).split("/").at(-1) ?? "") || "archive");
const withoutVersion = (file: string) =>
  file.replace(/[-_.]?v?\d+\.\d.*$/, "").replace(/[^\w.-]/g, encodeURIComponent);

/** No two paths have one record: what the one brought would go with the other. */
export const recordOf = (want: Want) => {
  const parts = want.path.split("/").filter((part) => part !== "");
  return `${store}/${parts.map(escaped).join("-")}--${nameOf(want)}`;
};
const escaped = (part: string) => part.replaceAll("%", "%25").replaceAll("-", "%2D");
