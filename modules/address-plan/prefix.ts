import { PlaybookError } from "#engine/index.ts";
import {
  bitsOf,
  type Cidr,
  contains,
  formatCidr,
  formatIp,
  type Ip,
  networkOf,
  parseCidr,
  parseIp,
} from "#engine/net/ip.ts";

/** A block of addresses, or one address (a block of one). */
export interface Prefix extends Cidr {
  /** As the API server prints it: RFC 5952, with the mask. */
  readonly text: string;
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

/** Reads a prefix such as 2001:db8:1::/64. `what` names it in errors ("the pod prefix"). */
export function parsePrefix(text: string, what: string): Prefix {
  const [address = "", length] = text.split("/");
  if (length === undefined) throw refuse(`${what} ${text}`, "has no mask", `${text}/64, say`);
  if (parseIp(address) === undefined)
    throw refuse(`${what} "${text}"`, "is no IPv6 address or prefix");
  const cidr = parseCidr(text);
  if (cidr === undefined)
    throw refuse(`${what} ${text}`, `has the mask ${length}`, "a mask from 0 to 128");
  const block = { ...cidr, value: networkOf(cidr) };
  refuseSpecial(block, `${what} ${text}`);
  if (block.value !== cidr.value)
    throw refuse(
      `${what} ${text}`,
      "has host bits set, which the API server refuses",
      formatCidr(block),
    );
  return { ...block, text: formatCidr(block), bits: bitsOf(cidr.family) };
}

/** Reads one address, without a mask or zone. */
export function parseAddress(text: string, what: string): Prefix {
  if (/[/%[\]]/.test(text))
    throw refuse(`${what} ${text}`, "is not a bare address", "no mask, brackets or zone");
  const ip = parseIp(text);
  if (ip === undefined) throw refuse(`${what} "${text}"`, "is no IPv6 address or prefix");
  refuseSpecial(ip, `${what} ${text}`);
  const bits = bitsOf(ip.family);
  return { ...ip, text: formatIp(ip), length: bits, bits };
}

/** What no cluster can use, with what to take in its place. */
const special: readonly { prefix: string; why: string; instead: string }[] = [
  {
    prefix: "::ffff:0:0/96",
    why: "is an IPv4 address in IPv6 form, which Kubernetes refuses",
    instead: "an IPv6 prefix of your own",
  },
  {
    prefix: "fec0::/10",
    why: "is site-local, which RFC 3879 took out of use",
    instead: "a prefix under fd00::/8",
  },
  {
    prefix: "fe80::/10",
    why: "is link-local: the kubelet registers a node without addresses",
    instead: "a global address, or one under fd00::/8",
  },
  { prefix: "ff00::/8", why: "is multicast", instead: "a global prefix, or one under fd00::/8" },
  { prefix: "::/127", why: "is unspecified or loopback", instead: "a real prefix" },
  { prefix: "0.0.0.0/8", why: "is unspecified", instead: "a real prefix" },
  { prefix: "224.0.0.0/4", why: "is multicast", instead: "a unicast prefix" },
  { prefix: "127.0.0.0/8", why: "is loopback", instead: "a real prefix" },
  { prefix: "169.254.0.0/16", why: "is link-local", instead: "a routed prefix" },
];

function refuseSpecial(ip: Ip, shown: string): void {
  for (const { prefix, why, instead } of special) {
    const block = parseCidr(prefix);
    if (block !== undefined && contains(block, ip)) throw refuse(shown, why, instead);
  }
}

/** The n-th address of a block, counted from 0 as Kubernetes does. */
export const nthAddress = (block: Prefix, n: number): string =>
  formatIp({ ...block, value: block.value + BigInt(n) });
