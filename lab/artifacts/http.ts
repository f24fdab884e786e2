/** A closed network may drop packets silently: an answer that takes longer counts as none. */
const ANSWER_MS = 5_000;
/** A download in which nothing arrives for so long is given up. */
const STALL_MS = 30_000;

/** The answer, whatever its status, or why there is none. */
export async function request(
  url: URL,
  { method = "GET", signal }: { readonly method?: string; readonly signal: AbortSignal },
): Promise<Response | string> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), ANSWER_MS);
  try {
    return await fetch(url, { method, signal: AbortSignal.any([signal, deadline.signal]) });
  } catch (error) {
    signal.throwIfAborted();
    return deadline.signal.aborted
      ? `${url.host} did not answer within ${ANSWER_MS / 1000} s`
      : `${url.host} is out of reach (${reasonOf(error)})`;
  } finally {
    clearTimeout(timer);
  }
}

/** The chunks of a body; an error when none comes for {@link STALL_MS}. */
export async function* stalling(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await inTime(reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/** The longest list of checksums is a few KiB. */
const LONGEST_TEXT = 1 << 20;

/** A small body as text; an error when it is none, or when nothing comes for {@link STALL_MS}. */
export async function textOf(answer: Response, signal: AbortSignal): Promise<string> {
  if (answer.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stalling(answer.body, signal)) {
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

/** The innermost message: fetch itself only says "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
