import { stripVTControlCharacters } from "node:util";
import { redact } from "../dsl/secret.ts";

// C0 without tab and newline, DEL, C1, and the marks that reorder or hide text on a terminal.
const unprintable = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const escaped = (char: string): string => {
  const code = char.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
};

/** Text from anywhere made safe to print: colours dropped, other control characters visible, secrets masked. */
export const printable = (text: string): string =>
  redact(stripVTControlCharacters(text).replaceAll("\r\n", "\n")).replace(unprintable, escaped);

/** The same on one line: for labels, host names and columns. */
export const oneLine = (text: string): string =>
  printable(text)
    .replace(/[\t\n]+/g, " ")
    .trim();

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
