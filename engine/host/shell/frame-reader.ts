const SOH = 1;
const NEWLINE = 10;
const LONGEST_MARK = 128;

/** The request whose marks are looked for now. */
export interface Expected {
  /** `\x01` and the request's nonce. */
  readonly needle: Buffer;
}

export interface FrameEvents<T extends Expected> {
  /** The oldest request that this stream has not ended. */
  head(): T | undefined;
  data(frame: T, bytes: Buffer): void;
  /** What follows the nonce in a mark's line, as in "E 0 0". */
  mark(frame: T, text: string): void;
}

/**
 * Cuts one stream of a framed shell into what belongs to which request. A mark holds the request's random nonce,
 * which no command can know, so no output can forge one. What arrives while nothing is asked for is dropped: it
 * comes from something that an earlier command left running.
 */
export class FrameReader<T extends Expected> {
  readonly #events: FrameEvents<T>;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes that belonged to no request. */
  noise = 0;

  constructor(events: FrameEvents<T>) {
    this.#events = events;
  }

  push(chunk: Buffer): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = data.subarray(data.length);
    while (data.length > 0) {
      const frame = this.#events.head();
      if (frame === undefined) {
        this.noise += data.length;
        return;
      }
      const at = data.indexOf(frame.needle);
      if (at < 0) {
        const keep = partOfNeedle(data, frame.needle.length);
        if (keep > 0) this.#events.data(frame, data.subarray(0, keep));
        this.#rest = data.subarray(keep);
        return;
      }
      if (at > 0) this.#events.data(frame, data.subarray(0, at));
      const end = data.indexOf(NEWLINE, at);
      if (end < 0) {
        if (data.length - at > LONGEST_MARK) throw new Error("the host sent a broken frame");
        this.#rest = data.subarray(at);
        return;
      }
      this.#events.mark(frame, data.toString("latin1", at + frame.needle.length, end));
      data = data.subarray(end + 1);
    }
  }
}

// Where the last bytes may be the begin of a mark whose end has not come yet.
function partOfNeedle(data: Buffer, length: number): number {
  const at = data.lastIndexOf(SOH);
  return at >= 0 && data.length - at < length ? at : data.length;
}
