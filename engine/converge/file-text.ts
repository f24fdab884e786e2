/**
 * Files as text, without loss: what is no UTF-8 (a Latin-1 comment of somebody's) stands in the text as one half of a
 * surrogate pair a byte, U+DC80 to U+DCFF, which no UTF-8 ever gives, and goes back as the byte that it was. A module that
 * edits a file of others thus leaves every other byte alone. Python's surrogateescape is the same (PEP 383).
 */
import { isUtf8 } from "node:buffer";

const ESCAPED = 0xdc00;

// Well-formed sequences: Unicode, table 3-7. Characters here are bytes, as in Latin-1.
const FORMED = [
  "[\\x00-\\x7f]",
  "[\\xc2-\\xdf][\\x80-\\xbf]",
  "\\xe0[\\xa0-\\xbf][\\x80-\\xbf]",
  "[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}",
  "\\xed[\\x80-\\x9f][\\x80-\\xbf]",
  "\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}",
  "[\\xf1-\\xf3][\\x80-\\xbf]{3}",
  "\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}",
].join("|");
// Many at a time, and not all: each is a step that the pattern could go back.
const SEQUENCE = new RegExp(`((?:${FORMED}){1,1000})|[\\x80-\\xff]`, "g");

/** The text of a file's bytes. */
export function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  return bytes
    .toString("latin1")
    .replace(SEQUENCE, (one: string, formed?: string) =>
      formed === undefined
        ? String.fromCharCode(ESCAPED + one.charCodeAt(0))
        : Buffer.from(formed, "latin1").toString("utf8"),
    );
}

/** The bytes of such a text. */
export function bytesOfText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, "utf8");
  const parts = text.split(/([\udc80-\udcff]+)/u);
  // Of such a half, its lower byte is the one that it stands for: just what Latin-1 takes of a character.
  return Buffer.concat(
    parts.map((part, index) => Buffer.from(part, index % 2 === 1 ? "latin1" : "utf8")),
  );
}
