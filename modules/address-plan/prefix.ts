import { Address4, Address6 } from "ip-address";
import { PlaybookError } from "#engine/index.ts";

export type Family = "IPv4" | "IPv6";

/** A block of addresses, or one address (a block of one). */
export interface Prefix {
  readonly family: Family;
  /** As the API server prints it: RFC 5952, with the mask. */
  readonly text: string;
  readonly first: bigint;
  readonly mask: number;
  /** 32 or 128. */
  readonly bits: number;
}

/** The refusal of a plan: what is wrong, why, and a value that would do. */
export const refuse = (what: string, why: string, instead?: string): PlaybookError =>
  new PlaybookError(
    "PB_ADDRESS_PLAN",
    [what, why],
    instead === undefined ? {} : { hint: `Use ${instead}. Nothing was touched yet.` },
  );

const bitsOf = (family: Family): number => (family === "IPv6" ? 128 : 32);

/** An address as people and the API write it. */
const formatAddress = (family: Family, value: bigint): string =>
  family === "IPv6"
    ? Address6.fromBigInt(value).correctForm()
    : Address4.fromBigInt(value).correctForm();

const mask = (value: bigint, zeroBits: number): bigint =>
  (value >> BigInt(zeroBits)) << BigInt(zeroBits);

/** Reads a prefix such as 2001:db8:1::/64. `what` names it in errors ("the pod prefix"). */
export function parsePrefix(text: string, what: string): Prefix {
  const [, length] = text.split("/");
  if (length === undefined) throw refuse(`${what} ${text}`, "has no mask", `${text}/64, say`);
  const { family, value } = parseParts(text, what);
  const bits = bitsOf(family);
  const ones = Number(length);
  const first = mask(value, bits - ones);
  const canonical = `${formatAddress(family, first)}/${ones}`;
  if (first !== value)
    throw refuse(`${what} ${text}`, "has host bits set, which the API server refuses", canonical);
  refuseSpecial(family, first, `${what} ${text}`);
  return { family, text: canonical, first, mask: ones, bits };
}

/** Reads one address, without a mask or zone. */
export function parseAddress(text: string, what: string): Prefix {
  if (/[/%[\]]/.test(text))
    throw refuse(`${what} ${text}`, "is not a bare address", "no mask, brackets or zone");
  const { family, value } = parseParts(text, what);
  refuseSpecial(family, value, `${what} ${text}`);
  const bits = bitsOf(family);
  return { family, text: formatAddress(family, value), first: value, mask: bits, bits };
}

function parseParts(text: string, what: string): { family: Family; value: bigint } {
  const [address = ""] = text.split("/");
  if (address.includes(":") && address.includes("."))
    throw refuse(`${what} ${text}`, "is an IPv4 address in IPv6 form, which Kubernetes refuses");
  if (Address6.isValid(text)) return { family: "IPv6", value: new Address6(address).bigInt() };
  if (Address4.isValid(text)) return { family: "IPv4", value: new Address4(address).bigInt() };
  throw refuse(`${what} "${text}"`, "is no IPv6 address or prefix");
}

/** What no cluster can use, with what to take in its place. */
const special: readonly { family: Family; prefix: string; why: string; instead: string }[] = [
  {
    family: "IPv6",
    prefix: "::ffff:0:0/96",
    why: "is an IPv4 address in IPv6 form, which Kubernetes refuses",
    instead: "an IPv6 prefix of your own",
  },
  {
    family: "IPv6",
    prefix: "fec0::/10",
    why: "is site-local, which RFC 3879 took out of use",
    instead: "a prefix under fd00::/8",
  },
  {
    family: "IPv6",
    prefix: "fe80::/10",
    why: "is link-local: the kubelet registers a node without addresses",
    instead: "a global address, or one under fd00::/8",
  },
  {
    family: "IPv6",
    prefix: "ff00::/8",
    why: "is multicast",
    instead: "a global prefix, or one under fd00::/8",
  },
  { family: "IPv6", prefix: "::/127", why: "is unspecified or loopback", instead: "a real prefix" },
  { family: "IPv4", prefix: "224.0.0.0/4", why: "is multicast", instead: "a unicast prefix" },
  { family: "IPv4", prefix: "127.0.0.0/8", why: "is loopback", instead: "a real prefix" },
  { family: "IPv4", prefix: "169.254.0.0/16", why: "is link-local", instead: "a routed prefix" },
];

function refuseSpecial(family: Family, value: bigint, shown: string): void {
  for (const { prefix, why, instead, ...rule } of special) {
    if (rule.family !== family) continue;
    const [network = "", ones] = prefix.split("/");
    const first = (family === "IPv6" ? new Address6(network) : new Address4(network)).bigInt();
    if (mask(value, bitsOf(family) - Number(ones)) === first) throw refuse(shown, why, instead);
  }
}

const last = ({ first, bits, mask: ones }: Prefix): bigint =>
  first + (1n << BigInt(bits - ones)) - 1n;

/** Whether two blocks share an address. */
export const overlap = (a: Prefix, b: Prefix): boolean =>
  a.family === b.family && a.first <= last(b) && b.first <= last(a);

/** Whether a block lies wholly inside another. */
export const contains = (outer: Prefix, inner: Prefix): boolean =>
  outer.family === inner.family && outer.first <= inner.first && last(inner) <= last(outer);

/** The n-th address of a block, counted from 0 as Kubernetes does. */
export const nthAddress = ({ family, first }: Prefix, n: number): string =>
  formatAddress(family, first + BigInt(n));
