import fc from "fast-check";
import type { Leaf } from "./schema-leaves.ts";

/** A program that only an injected command would start. */
export const PWNED = "pwned";

const [MARK, KRAM] = ["m4rk", "kr4m"];

// What shells, and the programs and files behind them, act on.
const PIECES = [
  ...["$(pwned)", "`pwned`", ";pwned;", "\npwned\n", "|pwned|", "&pwned&", "&&pwned", "||pwned"],
  ...["\rpwned\r", "\u2028pwned", "\u0085pwned", "$" + "{IFS}pwned", "<(pwned)", "\\\npwned"],
  ...["'", '"', "\\", "''", '"$(pwned)"', "'$(pwned)'", "'\\''", "$'\\npwned\\n'"],
  ...[" ", "\t", "*", "?", "[a-z]*", "~", "#", "!", "=", "%s%n", "{a,b}", "<", ">f", "(", ")", "^"],
  ...["\0", "\x1b[31m", "\x07", "\u202e", "é😀", "--", "-o", "/../", "://", ":", ",", "@", "$1"],
];

const piece = fc.constantFrom(...PIECES);
const start = fc.constantFrom("", "", "-", "--", "--pwned=", "/", "a", "@", "+");

/** Text that something acts on, with a mark at both of its ends. */
export const hostileText = fc
  .tuple(start, fc.array(piece, { minLength: 1, maxLength: 8 }))
  .map(([begin, pieces]) => `${begin}${MARK}${pieces.join("")}${KRAM}`);

/** Whatever the place's own patterns let through, the strangest of it too. */
const matching = ({ patterns: [pattern] }: Leaf) =>
  pattern === undefined || pattern.unicode ? [] : [fc.stringMatching(new RegExp(pattern.source))];

/** Around text that the place takes anyway. */
const spliced = (usual: string) =>
  fc
    .tuple(fc.nat(usual.length), fc.oneof(hostileText, piece))
    .map(([at, text]) => `${usual.slice(0, at)}${text}${usual.slice(at)}`);

const strangeness = (text: string) => text.replace(/[a-z0-9]/gi, "").length;

/**
 * Texts for one place, from a fixed seed: of those that `takes` lets through the most hostile ones, a few of the rest,
 * and a usual one, which is all that is left where a place takes only what is well-formed.
 */
export function hostileTexts(
  leaf: Leaf,
  usual: readonly string[],
  takes: (text: string) => boolean,
): string[] {
  const texts = fc.oneof(hostileText, ...matching(leaf), ...usual.filter(takes).map(spliced));
  const taken = [...new Set(fc.sample(texts, { numRuns: 300, seed: 2026 }))].filter(takes);
  const worst = taken.toSorted((a, b) => strangeness(b) - strangeness(a));
  return [
    ...new Set([...worst.slice(0, 3), ...taken.slice(0, 2), ...usual.filter(takes).slice(0, 1)]),
  ];
}

/** Whether an argument holds a marked text in part only. At slashes paths and addresses may be cut. */
export const isTorn = (argument: string, text: string): boolean =>
  /m4rk[^/]*kr4m/s.test(text) && argument.includes(MARK) !== argument.includes(KRAM);

export const isMarked = (text: string): boolean => text.includes(MARK);
