import { stripVTControlCharacters } from "node:util";
import { redact } from "../dsl/masking.ts";

// C0 and C1, what reorders, joins or hides text on a terminal, line ends that no log knows, halves of characters.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text with what cannot be printed, or would change how the rest is printed, replaced by what `show` makes of it. */
export const withoutControls = (text: string, show: (char: string) => string): string =>
  text.replace(unprintable, show);

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (char === "\t" || char === "\n") return char;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
}

const MOST = 20_000;
const LINE_MOST = 1_000;

const clipped = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}… (${text.length - most} characters more)`;

/**
 * Text from anywhere made safe to print: colours dropped, other control characters visible, secrets masked, and no more
 * of it than a person reads.
 */
export const printable = (text: string): string =>
  withoutControls(
    clipped(redact(stripVTControlCharacters(text).replaceAll("\r\n", "\n")), MOST),
    escaped,
  );

/** The same on one line: for labels, host names and columns. */
export const oneLine = (text: string): string =>
  clipped(printable(text), LINE_MOST)
    .replace(/[\t\n]+/g, " ")
    .trim();

/** What a host or a program said, as events keep it: secrets masked, and short, for a host may say without end. */
export const brief = (text: string): string => clipped(redact(text), 2 * LINE_MOST);

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
// Made when it is needed: loading its data takes 10 ms, which a run without such text need not wait for.
let segmenter: Intl.Segmenter | undefined;
function segments(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** How many columns plain text takes on a terminal. */
export function width(text: string): number {
  // Almost all text is ASCII, and a frame of the tree measures hundreds of lines.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of segments(text)) columns += wide.test(segment) ? 2 : 1;
  return columns;
}

/** Plain text cut to so many columns, with an ellipsis where something is missing. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of segments(text)) {
    used += wide.test(segment) ? 2 : 1;
    if (used > columns - 1) break;
    kept += segment;
  }
  return columns > 0 ? `${kept}…` : "";
}

/** Plain text filled up with spaces to so many columns. */
export const pad = (text: string, columns: number): string =>
  text + " ".repeat(Math.max(0, columns - width(text)));

/** How long something took, or is taking: "0.4s", "12s", "3m 07s", "1h 02m". */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
}

/** @example plural(1, "step") is "1 step" */
export const plural = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Names while they are few, else the first ones and how many more. */
export const listed = (names: readonly string[], most: number): string =>
  names.length <= most
    ? names.join(", ")
    : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
