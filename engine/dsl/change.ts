import type { Command } from "../host/command.ts";
import type { FileAttributes } from "../host/connection.ts";
import type { Duration } from "./duration.ts";
import type { Secret } from "./secret.ts";

/** Runs a command. */
export interface RunChange {
  readonly op: "run";
  readonly command: Command;
  /** The difference in words: "net.ipv6.conf.all.forwarding: 0 → 1". */
  readonly say: string;
  /** A deadline of its own; the step's unless given. */
  readonly timeout?: Duration;
}

/** Puts content at a path, atomically. */
export interface WriteChange {
  readonly op: "write";
  readonly path: string;
  readonly content: string | Uint8Array | Secret;
  readonly attributes: FileAttributes;
  /** What is there now, for the shown diff; undefined where nothing is. */
  readonly was?: string | undefined;
  readonly say: string;
}

/** Sets mode, owner or group of what is already there. */
export interface AttributesChange {
  readonly op: "attributes";
  readonly path: string;
  readonly attributes: FileAttributes;
  readonly say: string;
}

/** Makes a directory and its parents. */
export interface DirectoryChange {
  readonly op: "directory";
  readonly path: string;
  readonly attributes: FileAttributes;
  readonly say: string;
}

/** Removes a file, or a directory with all that is in it. */
export interface RemoveChange {
  readonly op: "remove";
  readonly path: string;
  readonly say: string;
}

/** Sends a file of the control machine. */
export interface UploadChange {
  readonly op: "upload";
  readonly from: string;
  readonly to: string;
  readonly attributes: FileAttributes;
  readonly say: string;
}

/** Fetches a file to the control machine, mode 0600. */
export interface DownloadChange {
  readonly op: "download";
  readonly from: string;
  readonly to: string;
  readonly say: string;
}

/**
 * A change that can cut the connection it is made over. The engine saves `files` on the host, starts a rollback timer
 * there, changes the files, runs `apply` detached, connects anew (at `address` where that changes), runs every `verify`
 * and confirms. No confirmation `within` the time: the host restores the files and runs `apply` again by itself, and
 * the step fails on a host that works as before.
 */
export interface GuardedChange {
  readonly op: "guarded";
  readonly files: readonly (WriteChange | RemoveChange)[];
  /** Makes the files take effect; once more after they went back. GUARD_STEP says which, GUARD_KEPT is its own folder. */
  readonly apply: Command;
  /** Where the host answers afterwards, when that changes. */
  readonly address?: string | undefined;
  readonly verify: readonly Command[];
  readonly within: Duration;
  readonly say: string;
}

/** Starts the host anew; made once it answers again with another boot id. */
export interface RebootChange {
  readonly op: "reboot";
  readonly within: Duration;
  readonly say: string;
}

/** One described mutation of a host: data, so that it can be shown, journaled and refused before it is made. */
export type Change =
  | RunChange
  | WriteChange
  | AttributesChange
  | DirectoryChange
  | RemoveChange
  | UploadChange
  | DownloadChange
  | GuardedChange
  | RebootChange;

export const run = (
  command: Command,
  say: string,
  options: { timeout?: Duration } = {},
): RunChange => ({ op: "run", command, say, ...options });

export const writeFile = (
  path: string,
  content: WriteChange["content"],
  options: FileAttributes & { was?: string | undefined; say?: string } = {},
): WriteChange => {
  const { was, say, ...attributes } = options;
  return { op: "write", path, content, attributes, was, say: say ?? `write ${path}` };
};

export const setAttributes = (
  path: string,
  attributes: FileAttributes,
  say: string,
): AttributesChange => ({ op: "attributes", path, attributes, say });

export const makeDirectory = (path: string, attributes: FileAttributes = {}): DirectoryChange => ({
  op: "directory",
  path,
  attributes: { mode: 0o755, ...attributes },
  say: `make directory ${path}`,
});

export const remove = (path: string): RemoveChange => ({
  op: "remove",
  path,
  say: `remove ${path}`,
});

export const upload = (
  from: string,
  to: string,
  attributes: FileAttributes = {},
): UploadChange => ({ op: "upload", from, to, attributes, say: `send ${from} to ${to}` });

export const download = (from: string, to: string): DownloadChange => ({
  op: "download",
  from,
  to,
  say: `fetch ${from} to ${to}`,
});

export const guarded = (change: Omit<GuardedChange, "op">): GuardedChange => ({
  op: "guarded",
  ...change,
});

export const reboot = (within: Duration, say: string): RebootChange => ({
  op: "reboot",
  within,
  say,
});
