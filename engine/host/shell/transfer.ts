import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isPlaybookError, PlaybookError } from "../../errors/error.ts";
import type { CallOptions, FileAttributes } from "../connection.ts";
import { within } from "../deadline.ts";
import { errnoText } from "../errno.ts";
import type { Calls } from "./calls.ts";
import { absolute, placeWords, reason, statFollowed, statReply, statWork } from "./files.ts";
import { type Identity, launch } from "./launch.ts";
import type { LocalHashes } from "./local-hash.ts";
import type { OpenPipe, Pipe, PipeEnd } from "./pipe.ts";
import { quote } from "./quote.ts";
import type { Work } from "./request.ts";

/** Large content may take its time; a peer that is gone is noticed by the keepalive long before. Ms. */
const TRANSFER_TIMEOUT = 30 * 60_000;
const START_TIMEOUT = 15_000;
const BROKEN_GRACE = 1_000;
/** Bytes of content that wait in this process for the network. */
const MOST_BACKLOG = 8 * 1024 * 1024;
const BACKLOG_PAUSE = 20;

export interface TransferHost {
  readonly open: OpenPipe;
  readonly identity: Identity;
  readonly calls: Calls;
  readonly hashes: LocalHashes;
}

interface Sending {
  readonly to: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  readonly source: Readable;
  readonly options: FileAttributes & CallOptions;
}

// $1 path, $2 the file beside it, $3 mode, $4 owner, $5 sha256, $6 bytes. What tee could not write it has told, and
// goes on; the size shows it. On one line, for login shells that know no line breaks
// within quotes. A sender that goes away leaves a short file, which the sum refuses.
const RECEIVE = [
  `if [ -d "$1" ]; then echo "$1: Is a directory" >&2; exit 1; fi`,
  `trap 'rm -f -- "$2"' EXIT`,
  `trap "exit 143" TERM HUP INT`,
  `umask 077`,
  `set -C`,
  `: >"$2" || exit 1`,
  `s=$(tee -- "$2" | sha256sum)`,
  `if [ "\${s%% *}" != "$5" ]; then echo "$1: the content arrived incomplete" >&2; exit 1; fi`,
  `if [ "$(wc -c <"$2")" -ne "$6" ]; then echo "$1: the file is short" >&2; exit 1; fi`,
  `if [ -n "$4" ]; then chown -- "$4" "$2" || exit 1; fi`,
  `chmod -- "$3" "$2" || exit 1`,
  `sync -- "$2" || exit 1`,
  `mv -f -- "$2" "$1" || exit 1`,
  `trap - EXIT`,
].join("; ");

/** Content of any size from memory. */
export const sendContent = (
  host: TransferHost,
  file: { to: string; content: Uint8Array; options: FileAttributes & CallOptions },
): Promise<void> =>
  send(host, {
    to: file.to,
    options: file.options,
    source: Readable.from([file.content]),
    sha256: createHash("sha256").update(file.content).digest("hex"),
    size: file.content.length,
  });

/** A local file, where the host has another content there; only attributes are set where the content is the same. */
export async function upload(
  host: TransferHost,
  file: { from: string; to: string; options: FileAttributes & CallOptions },
): Promise<boolean> {
  const { from, to, options } = file;
  const [sha256, { size }, there] = await Promise.all([
    host.hashes.of(from),
    stat(from),
    host.calls.call(statWork(to), options).then((reply) => statReply(to, reply)),
  ]).catch((error: unknown) => {
    throw isPlaybookError(error) ? error : localError(from, error);
  });
  if (there?.kind === "file" && there.size === size) {
    const reply = await host.calls.call(sumWork(to), { ...options, timeoutMs: TRANSFER_TIMEOUT });
    if (reply.code === 0 && sumOf(reply.stdout) === sha256) {
      await setAttributes(host, to, options);
      return false;
    }
  }
  await send(host, {
    to,
    sha256,
    size,
    options,
    source: createReadStream(from, { highWaterMark: 256 * 1024 }),
  });
  return true;
}

async function setAttributes(
  { calls }: TransferHost,
  path: string,
  options: FileAttributes & CallOptions,
): Promise<void> {
  const [, , mode = "", owner = ""] = placeWords(path, options);
  const own = owner === "" ? "" : `chown -- ${quote(owner)} ${quote(path)} && `;
  const body = `${own}exec chmod -- ${mode} ${quote(path)}`;
  const reply = await calls.call({ what: `set mode of ${path}`, body, grouped: false }, options);
  if (reply.code !== 0)
    throw new PlaybookError("PB_WRITE_FAILED", [path, reason(reply.stderr.toString())]);
}

async function send(host: TransferHost, sending: Sending): Promise<void> {
  const { to, options, source, sha256, size } = sending;
  const what = `write ${to}`;
  const args = [...placeWords(to, options), sha256, String(size)];
  const end = await stream(
    host,
    { what, options, script: { text: RECEIVE, args } },
    (pipe, signal) => {
      pipe.stdout.resume();
      return pour(source, pipe, signal);
    },
  ).catch((error: unknown) => {
    throw isPlaybookError(error) ? error : localError(what, error);
  });
  if (end.code !== 0) throw new PlaybookError("PB_WRITE_FAILED", [to, reason(end.said)]);
}

/** A host's file to a local one, readable by this user only, complete or not there at all. */
export async function download(
  host: TransferHost,
  file: { from: string; to: string; options: CallOptions },
): Promise<void> {
  const { from, to, options } = file;
  const beside = `${to}.pb-${randomBytes(8).toString("hex")}`;
  const size = await sizeOf(host, from, options);
  await refuseTooLarge(size, from, to);
  const hash = createHash("sha256");
  let got = 0;
  const tap = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      got += chunk.length;
      hash.update(chunk);
      // Whatever a host sends, no more is written here than it said before.
      if (got > size) done(new PlaybookError("PB_TRANSFER_CORRUPT", [from, to]));
      else done(null, chunk);
    },
  });
  const script = { text: `exec cat -- "$1"`, args: [absolute(from)] };
  try {
    const end = await stream(host, { what: `read ${from}`, options, script }, (pipe, signal) => {
      pipe.stdin.end();
      // Not part of the pipeline, which would wait for a channel to close that nobody reads any more.
      pipe.stdout.pipe(tap);
      const file = createWriteStream(beside, { flags: "wx", mode: 0o600, flush: true });
      return pipeline(tap, file, { signal });
    }).catch((error: unknown) => {
      throw isPlaybookError(error) ? error : localError(to, error);
    });
    if (end.code !== 0) throw new PlaybookError("PB_READ_FAILED", [from, reason(end.said)]);
    const there = await host.calls.call(sumWork(from), { ...options, timeoutMs: TRANSFER_TIMEOUT });
    if (sumOf(there.stdout) !== hash.digest("hex"))
      throw new PlaybookError("PB_TRANSFER_CORRUPT", [from, to]);
    await rename(beside, to);
  } finally {
    await rm(beside, { force: true });
  }
}

async function sizeOf(host: TransferHost, from: string, options: CallOptions): Promise<number> {
  const there = statReply(from, await host.calls.call(statFollowed(from), options));
  if (there === undefined)
    throw new PlaybookError("PB_READ_FAILED", [from, "No such file or directory"]);
  if (there.kind !== "file")
    throw new PlaybookError("PB_READ_FAILED", [from, `Is a ${there.kind}, not a file`]);
  return there.size;
}

/** Before a byte is asked for. @throws PB_LOCAL_FILE where the disk would be full */
async function refuseTooLarge(size: number, from: string, to: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(resolve(to))).catch((error: unknown) => {
    throw localError(to, error);
  });
  if (size <= bavail * bsize) return;
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
  const why = `${from} has ${mebibytes(size)}, and only ${mebibytes(bavail * bsize)} are free`;
  throw new PlaybookError("PB_LOCAL_FILE", [to, why]);
}

const sumWork = (path: string): Work => ({
  what: `sha256sum ${path}`,
  body: `exec sha256sum <${quote(absolute(path))}`,
  grouped: false,
});

const sumOf = (stdout: Buffer): string => stdout.toString().slice(0, 64);

const localError = (path: string, error: unknown): PlaybookError =>
  new PlaybookError("PB_LOCAL_FILE", [path, errnoText(error)], {}, { cause: error });

/**
 * All of a source into a program's stdin. A program that ends early is no error here: its exit code tells. (A stream
 * pipeline would destroy the channel then, and lose that code.)
 */
async function pour(
  source: Readable,
  { stdin, closed, backlog = () => 0 }: Pipe,
  signal: AbortSignal,
): Promise<void> {
  const gone = closed.then(() => "gone" as const);
  for await (const chunk of source) {
    // A server that allows any amount must not have it all kept here.
    while (backlog() > MOST_BACKLOG && !signal.aborted && stdin.writable)
      await new Promise((resolve) => setTimeout(resolve, BACKLOG_PAUSE));
    if (signal.aborted || !stdin.writable) return;
    if (stdin.write(chunk)) continue;
    const drained = new Promise<"drained">((resolve) =>
      stdin.once("drain", () => resolve("drained")),
    );
    if ((await Promise.race([drained, gone])) === "gone") return;
  }
  stdin.end();
}

interface Streaming {
  readonly what: string;
  readonly options: CallOptions;
  readonly script: { readonly text: string; readonly args: readonly string[] };
}

/** Runs a script whose stdin or stdout is the content itself, and waits until both it and the flow have ended. */
async function stream(
  { open, identity }: TransferHost,
  { what, options, script }: Streaming,
  flow: (pipe: Pipe, signal: AbortSignal) => Promise<void>,
): Promise<PipeEnd & { readonly said: string }> {
  const { as, signal, timeoutMs = TRANSFER_TIMEOUT } = options;
  const { pipe } = await launch(open, identity, {
    ...(as !== undefined && { as }),
    timeoutMs: Math.min(START_TIMEOUT, timeoutMs),
    script,
  });
  let said = "";
  pipe.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-8192);
  });
  pipe.stderr.resume();
  const ending = new AbortController();
  const giveUp = () => pipe.destroy();
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    const flowing = flow(pipe, ending.signal).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
    // Where the flow breaks because the other end stopped, that end tells why within moments; else it is this side's.
    const told = flowing.then((broken) =>
      broken === undefined ? pipe.closed : within(BROKEN_GRACE, pipe.closed, () => broken),
    );
    const late = () => new PlaybookError("PB_TIMEOUT", [what, timeoutMs / 1000]);
    const end = await within(timeoutMs, Promise.race([pipe.closed, told]), late);
    if (signal?.aborted) throw new PlaybookError("PB_INTERRUPTED", [what]);
    if (end.code === undefined)
      throw new PlaybookError("PB_CONNECTION_LOST", [identity.host, end.reason ?? "it was cut"]);
    // A program that ended early says itself why; a broken flow is of this side only where it said nothing.
    const broken = await within(START_TIMEOUT, flowing, late);
    if (end.code === 0 && broken !== undefined) throw broken;
    return { ...end, said };
  } finally {
    signal?.removeEventListener("abort", giveUp);
    ending.abort();
    pipe.destroy();
  }
}
