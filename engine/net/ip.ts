/**
 * IP addresses and prefixes as values. One address has many spellings (upper case, zeros written out, IPv4 inside IPv6),
 * so texts are never compared: this is the one comparison, for params and for what hosts print.
 */
import { isIP } from "node:net";
import { Address4, Address6 } from "ip-address";

export type Family = "IPv6" | "IPv4";

/** One address. */
export interface Ip {
  readonly family: Family;
  readonly value: bigint;
  /** The interface that a link-local address belongs to; empty elsewhere, as the kernel ignores it there. */
  readonly zone: string;
}

/** An address with the length of its prefix: that of an interface, or a network. */
export interface Cidr extends Ip {
  readonly length: number;
}

/** What an address is good for. */
type Scope =
  | "unspecified"
  | "loopback"
  | "link-local"
  | "multicast"
  | "mapped"
  | "reserved"
  | "unicast";

/** 128 or 32. */
export const bitsOf = (family: Family): number => (family === "IPv6" ? 128 : 32);

const ZONE = /^[\w.@:-]+$/;

/** Reads an address without brackets or prefix, as inet_pton does; undefined where it is none. */
export function parseIp(text: string): Ip | undefined {
  const [address = "", zone, ...more] = text.split("%");
  const kind = isIP(address);
  if (more.length > 0 || (zone !== undefined && (kind !== 6 || !ZONE.test(zone)))) return undefined;
  if (kind === 4) return { family: "IPv4", value: new Address4(address).bigInt(), zone: "" };
  if (kind !== 6) return undefined;
  const ip: Ip = { family: "IPv6", value: new Address6(address).bigInt(), zone: "" };
  return zone !== undefined && needsZone(ip) ? { ...ip, zone } : ip;
}

/** Reads an address with its prefix length, as 2001:db8::1/64; undefined where it is none. */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = "", length = ""] = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const ip = parseIp(address);
  if (ip === undefined || Number(length) > bitsOf(ip.family)) return undefined;
  return { ...ip, length: Number(length) };
}

/** RFC 5952, with the zone where there is one. */
export function formatIp({ family, value, zone }: Ip): string {
  if (family === "IPv4") return Address4.fromBigInt(value).correctForm();
  const address = Address6.fromBigInt(value);
  const text = isMapped({ family, value }) ? address.to4in6() : address.correctForm();
  return zone === "" ? text : `${text}%${zone}`;
}

export const formatCidr = (cidr: Cidr): string =>
  `${formatIp({ ...cidr, zone: "" })}/${cidr.length}`;

/** Whether two texts are one address. A text that is no address equals none. */
export const sameIp = (a: string, b: string): boolean =>
  parseIp(a) !== undefined && canonicalIp(a) === canonicalIp(b);

/** The same of addresses with prefix lengths. */
export const sameCidr = (a: string, b: string): boolean =>
  parseCidr(a) !== undefined && canonicalCidr(a) === canonicalCidr(b);

/** The one spelling of an address, for sets and maps; the text itself where it is none. */
export function canonicalIp(text: string): string {
  const ip = parseIp(text);
  return ip === undefined ? text : formatIp(unmapped(ip));
}

/** The one spelling of an address with its prefix length; the text itself where it is none. */
export function canonicalCidr(text: string): string {
  const cidr = parseCidr(text);
  if (cidr === undefined) return text;
  const { length } = cidr;
  return isMapped(cidr) && length >= 96
    ? formatCidr({ ...unmapped(cidr), length: length - 96 })
    : formatCidr(cidr);
}

/** Which family carries packets to it: IPv4, too, for an IPv4 address in IPv6 form. */
export function familyOf(text: string): Family | undefined {
  const ip = parseIp(text.replace(/\/\d+$/, ""));
  return ip === undefined ? undefined : unmapped(ip).family;
}

/** The first address of the block that it stands in. */
export function networkOf({ family, value, length }: Cidr): bigint {
  const rest = BigInt(bitsOf(family) - length);
  return (value >> rest) << rest;
}

/** The last address of the block that it stands in. */
export const lastOf = (cidr: Cidr): bigint =>
  networkOf(cidr) + (1n << BigInt(bitsOf(cidr.family) - cidr.length)) - 1n;

/** Whether two blocks share an address. */
export const overlap = (a: Cidr, b: Cidr): boolean =>
  a.family === b.family && networkOf(a) <= lastOf(b) && networkOf(b) <= lastOf(a);

/** Whether an address lies in a block. */
export const contains = (block: Cidr, { family, value }: Ip): boolean =>
  block.family === family && networkOf(block) <= value && value <= lastOf(block);

/** What an address is good for, after the IANA special-purpose registries. */
export const scopeOf = (ip: Ip): Scope =>
  special.find(({ block }) => contains(block, ip))?.scope ?? "unicast";

const blocks: readonly [Scope, ...string[]][] = [
  ["unspecified", "::/128", "0.0.0.0/32"],
  ["loopback", "::1/128", "127.0.0.0/8"],
  ["mapped", "::ffff:0:0/96"],
  ["link-local", "fe80::/10", "169.254.0.0/16"],
  ["multicast", "ff00::/8", "224.0.0.0/4"],
  ["reserved", "0.0.0.0/8", "240.0.0.0/4"],
];

const special = blocks.flatMap(([scope, ...texts]) =>
  texts.flatMap((text) => {
    const block = parseCidr(text);
    return block === undefined ? [] : [{ scope, block }];
  }),
);

function isMapped({ family, value }: Omit<Ip, "zone">): boolean {
  return family === "IPv6" && value >> 32n === 0xffffn;
}

// On the wire it is IPv4: the kernel sends no IPv6 packet to ::ffff:0:0/96.
function unmapped(ip: Ip): Ip {
  return isMapped(ip) ? { family: "IPv4", value: ip.value & 0xffff_ffffn, zone: "" } : ip;
}

// fe80::/10, and multicast within an interface or a link (ff01::/16, ff02::/16, whatever the flags).
function needsZone({ value }: Ip): boolean {
  if (value >> 118n === 0x3fan) return true;
  return value >> 120n === 0xffn && [1n, 2n].includes((value >> 112n) & 0xfn);
}
