import { createHash, randomBytes } from "node:crypto";
import { PlaybookError } from "../../errors/error.ts";
import type { FileAttributes, FileStat } from "../connection.ts";
import type { Reply } from "./call.ts";
import { quote, quoteAll } from "./quote.ts";
import type { Work } from "./request.ts";

/** What a tool says, at the end of a line, of a path at which nothing is. */
export const MISSING = /: (No such file or directory|Not a directory)$/m;

/** A path of a host is absolute: there is no folder that it could be relative to. */
export function absolute(path: string): string {
  if (!path.startsWith("/")) throw new TypeError(`"${path}" is no absolute path`);
  return path;
}

export const readWork = (path: string): Work => ({
  what: `read ${path}`,
  body: `exec cat -- ${quote(absolute(path))}`,
  grouped: false,
});

export function readReply(path: string, reply: Reply): Buffer | undefined {
  if (reply.code === 0) return reply.stdout;
  const said = reply.stderr.toString();
  if (MISSING.test(said)) return undefined;
  throw new PlaybookError("PB_READ_FAILED", [path, reason(said)]);
}

export const statWork = (path: string): Work => ({
  what: `stat ${path}`,
  body: `_pb_stat ${quote(absolute(path))}`,
  grouped: false,
});

/** The four highest bits of st_mode: S_IFREG, S_IFDIR, S_IFLNK. */
const KINDS: Readonly<Record<number, FileStat["kind"]>> = {
  8: "file",
  4: "directory",
  10: "symlink",
};

// Mode in hexadecimal, uid, user, gid, group, bytes; names of domains have more in them than those of passwd.
const STAT = /^([0-9a-f]{1,8}) (\d{1,10}) (.{1,256}) (\d{1,10}) (.{1,256}) (\d{1,16})$/;

export function statReply(path: string, reply: Reply): FileStat | undefined {
  const said = reply.stderr.toString();
  if (reply.code !== 0) {
    if (MISSING.test(said)) return undefined;
    throw new PlaybookError("PB_READ_FAILED", [path, reason(said)]);
  }
  const [line = "", ...rest] = reply.stdout.toString().split("\n");
  const stat = parseStat(line);
  if (stat === undefined)
    throw new PlaybookError("PB_READ_FAILED", [path, "what stat prints makes no sense"]);
  return stat.kind === "symlink" ? { ...stat, target: rest.join("\n") } : stat;
}

/** A line of `stat -c '%f %u %U %g %G %s'`, whatever follows; undefined where it makes no sense. */
export function parseStat(line: string): FileStat | undefined {
  const [, mode, uid = "", user = "", gid = "", group = "", size] = STAT.exec(line) ?? [];
  if (mode === undefined || !Number.isSafeInteger(Number(size))) return undefined;
  const bits = Number.parseInt(mode, 16);
  return {
    kind: KINDS[bits >> 12] ?? "other",
    mode: bits & 0o7777,
    owner: user === "UNKNOWN" ? uid : user,
    group: group === "UNKNOWN" ? gid : group,
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
  };
}

/** Path, the file beside it, mode, owner (empty to leave it): what placing a file takes. */
export function placeWords(path: string, attributes: FileAttributes): string[] {
  const { mode = 0o644, owner, group } = attributes;
  const folder = absolute(path).slice(0, path.lastIndexOf("/") + 1);
  const beside = `${folder}.pb-${randomBytes(8).toString("hex")}`;
  const who = owner === undefined && group === undefined ? "" : `${owner ?? ""}:${group ?? owner}`;
  return [path, beside, mode.toString(8).padStart(4, "0"), who];
}

/** The file beside a path in which an upload that was cut is found again. */
export function partOf(path: string): string {
  const at = absolute(path).lastIndexOf("/") + 1;
  return `${path.slice(0, at)}.pb-part-${createHash("sha256").update(path.slice(at)).digest("hex").slice(0, 16)}`;
}

export const writeWork = (path: string, content: Uint8Array, attributes: FileAttributes): Work => ({
  what: `write ${path}`,
  body: `_pb_write ${quoteAll([...placeWords(path, attributes), String(content.byteLength)])}`,
  stdin: content,
  grouped: false,
});

export function writeReply(path: string, reply: Reply): void {
  if (reply.code === 0) return;
  throw new PlaybookError("PB_WRITE_FAILED", [path, reason(reply.stderr.toString())]);
}

/** The errno text at the end of what a tool said: "cat: write error: No space left on device" → the last part. */
export function reason(said: string): string {
  const line = said.trim().split("\n")[0] ?? "";
  const text = line.split(": ").at(-1) ?? "";
  // dash and busybox have wordings of their own for ENOENT.
  const missing = /^(directory nonexistent|nonexistent directory)$/i.test(text);
  return missing ? "No such file or directory" : text || "it failed silently";
}
