import { redactedEnd } from "../../dsl/masking.ts";
import { PlaybookError } from "../../errors/error.ts";
import type { CallOptions } from "../connection.ts";
import { within } from "../deadline.ts";
import type { Calls } from "./calls.ts";
import { type Identity, launch } from "./launch.ts";
import type { LocalFiles } from "./local-files.ts";
import type { OpenPipe, Pipe, PipeEnd } from "./pipe.ts";

/** Large content may take its time; a peer that is gone is noticed by the keepalive long before. Ms. */
export const TRANSFER_TIMEOUT = 30 * 60_000;
const START_TIMEOUT = 15_000;
const BROKEN_GRACE = 1_000;
/** Bytes of content that wait in this process for the network. */
const MOST_BACKLOG = 8 * 1024 * 1024;
const BACKLOG_PAUSE = 20;
/** Bytes; what scripts of ours print is far shorter. */
const LONGEST_LINE = 1024;

/** What transfers work with on one host. */
export interface TransferHost {
  readonly open: OpenPipe;
  readonly identity: Identity;
  readonly calls: Calls;
  readonly files: LocalFiles;
}

interface Streaming {
  readonly what: string;
  readonly options: CallOptions;
  readonly script: { readonly text: string; readonly args: readonly string[] };
}

/** Runs a script whose stdin or stdout is content, and waits until both it and the flow have ended. */
export async function stream(
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
  const text = new TextDecoder();
  pipe.stderr.on("data", (chunk: Buffer) => {
    said = redactedEnd(said, text.decode(chunk, { stream: true }), 8192);
  });
  pipe.stderr.resume();
  const ending = new AbortController();
  const giveUp = () => pipe.destroy();
  signal?.addEventListener("abort", giveUp, { once: true });
  const flowing = flow(pipe, ending.signal).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  try {
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
    // Whoever tries again must not meet this attempt at the same local file.
    await within(BROKEN_GRACE, flowing, () => new Error("it goes on")).catch(() => undefined);
  }
}

/**
 * The next line that a script prints, without its end; undefined where the script ends before. What follows is kept.
 * What a host sends without an end is cut, and is no line that anybody expects.
 */
export function nextLine({ stdout, closed }: Pipe): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let seen: Buffer = Buffer.alloc(0);
  const settle = (line: string | undefined) => {
    stdout.off("data", hear);
    stdout.pause();
    resolve(line);
  };
  const hear = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    const found = seen.indexOf(10);
    if (found < 0 && seen.length <= LONGEST_LINE) return;
    const end = found < 0 ? seen.length : found;
    settle(seen.toString("latin1", 0, end));
    if (end + 1 < seen.length) stdout.unshift(seen.subarray(end + 1));
  };
  stdout.on("data", hear);
  stdout.resume();
  void closed.then(() => {
    // Later lines are others' business.
    if (stdout.listeners("data").includes(hear)) settle(undefined);
  });
  return promise;
}

/**
 * All of a source into a program's stdin. A program that ends early is no error here: its exit code tells. (A stream
 * pipeline would destroy the channel then, and lose that code.) Each chunk is waited for until it is taken, as its
 * memory is used again.
 */
export async function pour(
  source: AsyncIterable<Uint8Array>,
  { stdin, closed, backlog = () => 0 }: Pipe,
  signal: AbortSignal,
): Promise<void> {
  const gone = closed.then(() => "gone" as const);
  for await (const chunk of source) {
    // A server that allows any amount must not have it all kept here.
    while (backlog() > MOST_BACKLOG && !signal.aborted && stdin.writable)
      await new Promise((resolve) => setTimeout(resolve, BACKLOG_PAUSE));
    if (signal.aborted || !stdin.writable) return;
    const taken = new Promise<"taken">((resolve) => stdin.write(chunk, () => resolve("taken")));
    if ((await Promise.race([taken, gone])) === "gone") return;
  }
  stdin.end();
}
