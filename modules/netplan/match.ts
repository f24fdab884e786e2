/** Which interfaces a `match` of netplan means. netplan hands its words to systemd-networkd, so they mean what they mean there. */

import { invalid } from "../answer.ts";

/** What networkd looks at of an interface. */
export interface Matched {
  /** The hardware's own address where it has one. */
  readonly mac: string;
  /** Undefined where the host does not tell. */
  readonly driver?: string | undefined;
}

/** As a file gives it; what is not given matches every interface. */
export interface Match {
  readonly name?: string | undefined;
  readonly macaddress?: string | undefined;
  readonly driver?: readonly string[] | undefined;
}

/** Whether it means the interface. A driver that is not known may be the one. */
export function matches(match: Match, name: string, link: Matched): boolean {
  const { macaddress, driver } = match;
  return (
    (match.name === undefined || isOneOf([match.name], name)) &&
    (macaddress === undefined || macaddress.toLowerCase() === link.mac.toLowerCase()) &&
    (driver === undefined || link.driver === undefined || isOneOf(driver, link.driver))
  );
}

// As networkd does: a first `!` inverts the whole list, and an inverted one that fits decides.
function isOneOf([first = "", ...others]: readonly string[], text: string): boolean {
  const rest = first.startsWith("!") ? others.map((glob) => `!${glob}`) : others;
  const globs = [first, ...rest].map((glob) => ({
    inverted: glob.startsWith("!"),
    fits: globPattern(glob.replace(/^!/, "")).test(text),
  }));
  if (globs.some(({ inverted, fits }) => inverted && fits)) return false;
  return globs.every(({ inverted }) => inverted) || globs.some(({ fits }) => fits);
}

/** Characters of a glob, with room: names of interfaces have 15. */
const LONGEST = 256;

/** A glob of fnmatch(3) as a regular expression. @throws PB_ANSWER_INVALID where it is longer than any that means something */
export function globPattern(words: string): RegExp {
  if (words.length > LONGEST)
    throw invalid("netplan's files", `a pattern has more than ${LONGEST} characters`);
  // Several in a row mean what one does, and would be tried in every combination.
  const glob = words.replace(/\*+/g, "*");
  let pattern = "";
  for (let at = 0; at < glob.length; ) {
    const [part, length] = partAt(glob, at);
    pattern += part;
    at += length;
  }
  return new RegExp(`^${pattern}$`, "su");
}

function partAt(glob: string, at: number): [pattern: string, length: number] {
  const rest = glob.slice(at);
  if (rest.startsWith("*")) return [".*", 1];
  if (rest.startsWith("?")) return [".", 1];
  const [escaped, character = "\\"] = /^\\(.?)/su.exec(rest) ?? [];
  if (escaped !== undefined) return [literal(character || "\\"), escaped.length];
  // A closing bracket that comes first stands for itself; without any, the opening one does.
  const [set, not, inside = ""] = /^\[([!^]?)(\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]/su.exec(rest) ?? [];
  if (set !== undefined) return [`[${not === "" ? "" : "^"}${members(inside)}]`, set.length];
  const first = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  return [literal(first), first.length];
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: "A-Za-z0-9",
  alpha: "A-Za-z",
  digit: "0-9",
  lower: "a-z",
  upper: "A-Z",
  xdigit: "A-Fa-f0-9",
};

// A range whose ends are the wrong way round holds nothing.
const members = (inside: string): string =>
  inside.replace(
    /\[:(\w+):\]|(\\?.)-(\\?[^\]])|\\(.)|[[\]^\\]/gsu,
    (all, name?: string, from?: string, to?: string, escaped?: string) => {
      if (name !== undefined) return CLASSES[name] ?? "";
      if (from === undefined || to === undefined) return member(escaped ?? all);
      const [low, high] = [from.slice(-1), to.slice(-1)];
      return low > high ? "" : `${member(low)}-${member(high)}`;
    },
  );

const literal = (character: string) => character.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");

// In a set a hyphen is one only with a backslash; elsewhere it may have none.
const member = (character: string) => (character === "-" ? "\\-" : literal(character));
