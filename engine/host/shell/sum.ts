import type { Algorithm } from "./content.ts";
import { absolute } from "./files.ts";
import { quote } from "./quote.ts";
import type { Work } from "./request.ts";

/**
 * Makes `h` the quickest hash that the host has, of standard input, and `a` its name. openssl uses the processor's own
 * instructions, and sha256sum mostly does not: there b2sum is three times as quick. On one line, for login shells that
 * know no line breaks within quotes.
 */
export const PICK_HASH = [
  `if openssl dgst -sha256 -r </dev/null >/dev/null 2>&1; then a=sha256; h() { openssl dgst -sha256 -r; }`,
  `elif b2sum </dev/null >/dev/null 2>&1; then a=blake2b512; h() { b2sum; }`,
  `else a=sha256; h() { sha256sum; }`,
  `fi`,
].join("; ");

/** A hash, and which one it is. */
export interface Sum {
  readonly algorithm: Algorithm;
  readonly hex: string;
}

export const sumWork = (path: string): Work => ({
  what: `hash ${path}`,
  body: `${PICK_HASH}; printf '%s ' "$a"; h <${quote(absolute(path))}`,
  grouped: false,
});

/** What {@link sumWork} printed; undefined where it did not. */
export function parseSum(printed: string): Sum | undefined {
  const [name, hex] = printed.split(" ");
  const algorithm = asAlgorithm(name);
  return algorithm === undefined || hex === undefined ? undefined : { algorithm, hex };
}

export const asAlgorithm = (name: string | undefined): Algorithm | undefined =>
  name === "sha256" || name === "blake2b512" ? name : undefined;
