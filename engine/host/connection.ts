import type { Command } from "./command.ts";

/** How a finished command ended. A signal counts as 128 + its number, as in sh. */
export interface RunResult {
  readonly code: number;
  /** Decoded as UTF-8 across chunk borders; not trimmed. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface FileStat {
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Permission bits, as in 0o644. */
  readonly mode: number;
  /** By name; a number where the host has no name for it. */
  readonly owner: string;
  readonly group: string;
  /** The same as numbers, which is what the file system keeps. */
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Where a symlink points. */
  readonly target?: string;
}

export interface FileAttributes {
  /** Permission bits; 0o644 unless given. */
  readonly mode?: number;
  /** Whoever writes unless given: root where `as` is "root". */
  readonly owner?: string;
  /** The owner's name unless given, where an owner is. */
  readonly group?: string;
}

export interface CallOptions {
  /** Who does it: "root" (through sudo where the login user is another), or any user; the login user unless given. */
  readonly as?: string;
  /** A deadline of its own, in ms; 60 s unless given. Passing it is PB_TIMEOUT, never a hang. */
  readonly timeoutMs?: number;
  /** On a channel of its own, so that short calls do not wait behind it. */
  readonly long?: boolean;
  readonly signal?: AbortSignal;
}

/** The last that is asked of a host. */
export interface LastCall extends Pick<CallOptions, "as"> {
  readonly command: Command;
}

/**
 * One live connection to one host: the whole of what the engine needs of a transport. The same conformance suite runs
 * over ssh, local and the fake. Calls that are made in one tick share a round trip. Expected failures reject with a
 * PlaybookError (PB_TIMEOUT, PB_CONNECTION_LOST, PB_SUDO_REFUSED, …); a command that exits non-zero does not reject.
 */
export interface Connection {
  /** What the host says of itself, as readFacts reads it; it comes as the first shell starts, so it costs no call. */
  introduction(options?: Pick<CallOptions, "timeoutMs">): Promise<string>;
  run(command: Command, options?: CallOptions): Promise<RunResult>;
  /** The bytes, or undefined where nothing is there. A directory, or no permission, rejects. */
  readFile(path: string, options?: CallOptions): Promise<Buffer | undefined>;
  /** Without following a symlink. Undefined where nothing is there. */
  stat(path: string, options?: CallOptions): Promise<FileStat | undefined>;
  /**
   * Written beside, flushed to disk, renamed over: a reader sees the old content or the new. What is at the path is
   * replaced, a symlink too: writing through links as root would let whoever owns the folder choose the target, and a
   * link into /run (resolv.conf) would lose the content at the next boot.
   */
  writeFile(
    path: string,
    content: Uint8Array,
    options?: FileAttributes & CallOptions,
  ): Promise<void>;
  /**
   * A local file to the host, streamed; sent only when its hash differs. What a cut left there is not sent again. True
   * when it was sent.
   */
  upload(from: string, to: string, options?: FileAttributes & CallOptions): Promise<boolean>;
  /**
   * A host's file to a local one (mode 0600, written beside and renamed), checked by hash; fetched only when that
   * differs. What a cut left here is not fetched again.
   */
  download(from: string, to: string, options?: CallOptions): Promise<void>;
  /** Settles with the reason when the peer is gone; never while the connection lives. */
  readonly lost: Promise<Error>;
  /** Ends what runs, and the connection. A last call is made on the way: nobody waits for it, nor hears of its answer. */
  close(last?: LastCall): Promise<void>;
}

/** A run, as the hosts it changes are told of it: its shells there bear its name. */
interface RunMark {
  /** The run's id. */
  readonly id: string;
  /** Whose lock keeps other runs out: a user on the host, the login user unless given. */
  readonly lockedAs?: string | undefined;
}

/** How to reach and become someone on one host; made from an inventory entry and ssh_config. */
export interface Target {
  /** The inventory's name; only for messages. */
  readonly name: string;
  /** A literal in any form (bare, bracketed, with zone) or a name for ssh_config and DNS. */
  readonly address: string;
  /**
   * Where it is reached now, in place of what `address` leads to: after a change of its address. Settings and the host
   * key stay those of `address`.
   */
  readonly at?: string;
  readonly port?: number;
  readonly user?: string;
  /** A path; default identities and the agent are tried where it is not given. */
  readonly identityFile?: string;
  /** A path in place of ~/.ssh/known_hosts. */
  readonly knownHostsFile?: string;
  /** A host key seen for the first time: refused unless "accept-new". A changed one is always refused. */
  readonly hostKeys?: "strict" | "accept-new";
  readonly sudoPassword?: import("../dsl/secret.ts").Secret<string>;
  /** Through which host to go, as in ssh -J. */
  readonly jump?: string;
  /** The run that changes the host; undefined where it is only looked at. */
  readonly run?: RunMark;
}

/** One kind of transport: a file. */
export interface Transport {
  connect(
    target: Target,
    options?: { timeoutMs?: number; signal?: AbortSignal },
  ): Promise<Connection>;
}
