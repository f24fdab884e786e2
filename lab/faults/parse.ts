import { type Duration, toMs } from "#engine/dsl/duration.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import type { LineFault } from "./fault-state.ts";

/** What is asked of a line, as people write it. */
export interface LineWish {
  /** One way, such as "50ms" or "1s": a round trip takes twice as long. */
  readonly delay: string;
  /** Percent of the frames in each direction; none unless given. */
  readonly loss?: number | string;
}

const MAX_DELAY_MS = 10_000;
const UNITS = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 } as const;

/** Hosts and delay from the words of the command line: the last one is the delay. */
export function splitDelayWords(words: readonly string[]): { hosts: string[]; delay: string } {
  const delay = words.at(-1) ?? "";
  return { hosts: words.slice(0, -1), delay };
}

/** The line that is asked for, or the error that says what one looks like. */
export function parseLine({ delay, loss = 0 }: LineWish): LineFault {
  const lossPercent = loss === "" ? Number.NaN : Number(loss);
  // Negated, so that what is no number at all is refused too.
  if (!(lossPercent >= 0 && lossPercent <= 100))
    throw new PlaybookError("PB_LAB_FAULT", ["loss", String(loss), "0 to 100 percent"]);
  return { delayMs: parseDelay(delay), lossPercent };
}

/** True for a line that does nothing. */
export const isHealthy = ({ delayMs, lossPercent }: LineFault): boolean =>
  delayMs === 0 && lossPercent === 0;

/** Bytes of a size such as 512K or 1M. */
export function parseSize(text: string): number {
  const [, amount, unit] = /^(\d{1,12})([KMG]?)$/.exec(text) ?? [];
  if (amount !== undefined) return Number(amount) * UNITS[unit as keyof typeof UNITS];
  throw new PlaybookError("PB_LAB_FAULT", ["size", text, "expected bytes, or 512K, 1M, 2G"]);
}

function parseDelay(text: string): number {
  const ms = /^\d+(?:\.\d+)?(?:ms|s)$/.test(text) ? toMs(text as Duration) : Number.NaN;
  if (ms <= MAX_DELAY_MS) return ms;
  throw new PlaybookError("PB_LAB_FAULT", [
    "delay",
    text,
    `expected 50ms or 1s, ${MAX_DELAY_MS / 1000} s at most`,
  ]);
}
