import type { IncomingMessage } from "node:http";
import { openUpstream } from "../upstream.ts";

/** A closed network may drop packets silently: an answer that takes longer counts as none. */
const ANSWER_MS = 5_000;
/** A download in which nothing arrives for so long is given up. */
const STALL_MS = 30_000;

/** The answer, whatever its status, or why there is none. */
export async function request(
  url: URL,
  { method = "GET", signal, environment = process.env }: Request,
): Promise<IncomingMessage | string> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), ANSWER_MS);
  try {
    const upstream = openUpstream(environment, { keepAlive: false });
    const either = AbortSignal.any([signal, deadline.signal]);
    return await upstream.ask(String(url), { method, signal: either });
  } catch (error) {
    signal.throwIfAborted();
    return deadline.signal.aborted
      ? `${url.host} did not answer within ${ANSWER_MS / 1000} s`
      : `${url.host} is out of reach (${reasonOf(error)})`;
  } finally {
    clearTimeout(timer);
  }
}

interface Request {
  readonly method?: "GET" | "HEAD";
  readonly signal: AbortSignal;
  /** Names the proxies: HTTPS_PROXY, HTTP_PROXY, NO_PROXY. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** The chunks of a body; an error when none comes for {@link STALL_MS}. */
export async function* stalling(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await inTime(reader.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    await reader.return?.();
  }
}

/** The longest list of checksums is a few KiB. */
const LONGEST_TEXT = 1 << 20;

/** A small body as text; an error when it is none, or when nothing comes for {@link STALL_MS}. */
export async function textOf(answer: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stalling(answer, signal)) {
    size += chunk.length;
    if (size > LONGEST_TEXT) throw new Error(`more than ${LONGEST_TEXT} bytes came`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function inTime<T>(reading: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${STALL_MS / 1000} s`)), STALL_MS);
  });
  try {
    return await Promise.race([reading, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

/** The innermost message: an outer one often only says that something failed. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
