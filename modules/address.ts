/** Addresses in params. What a schema here returns is in the one spelling of engine/net/ip.ts. */
import { z } from "zod";
import {
  bitsOf,
  type Cidr,
  canonicalCidr,
  canonicalIp,
  type Ip,
  lastOf,
  networkOf,
  parseCidr,
  parseIp,
  scopeOf,
} from "#engine/net/ip.ts";

/** Whether it means nothing without an interface: fe80::/10. */
export const isLinkLocal = (text: string): boolean => {
  const ip = parseIp(text);
  return ip?.family === "IPv6" && scopeOf(ip) === "link-local";
};

// What no host can have, nor be reached at.
const UNUSABLE: Partial<Record<ReturnType<typeof scopeOf>, string>> = {
  unspecified: "this is the unspecified address",
  multicast: "this is a multicast address, which no host has",
  mapped: "this is an IPv4 address in IPv6 form: write the IPv4 address",
  reserved: "this address is reserved, no host has it",
};

/** The address of one host or interface. */
const usable = (parse: (text: string) => Ip | undefined, expected: string) =>
  z.string().superRefine((text, context) => {
    const ip = parse(text);
    const message = ip === undefined ? expected : UNUSABLE[scopeOf(ip)];
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const bare = (text: string) => (text.includes("%") ? undefined : parseIp(text));

/** Whatever /etc/hosts may give a name to, as ff02::1 too. The file has no place for a zone: libc passes over such a line. */
export const NamedAddress = z
  .string()
  .superRefine((text, context) => {
    const ip = bare(text);
    const message =
      ip === undefined
        ? "expected an IPv6 or IPv4 address without brackets, prefix or zone"
        : scopeOf(ip) === "mapped"
          ? UNUSABLE.mapped
          : undefined;
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .transform(canonicalIp);

/** An IPv6 or IPv4 address without brackets, prefix or zone. */
export const Address = usable(
  bare,
  "expected an IPv6 or IPv4 address without brackets, prefix or zone",
).transform(canonicalIp);

const FOREIGN: Partial<Record<ReturnType<typeof scopeOf>, string>> = {
  loopback: "this is a loopback address, which other hosts cannot reach",
  "link-local": "this is a link-local address, which means another host on every link",
};

/** The same of what other hosts reach: neither loopback nor link-local. */
export const HostAddress = Address.superRefine((text, context) => {
  const ip = parseIp(text);
  const message = ip === undefined ? undefined : FOREIGN[scopeOf(ip)];
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

/** An address that is reached from a host: with a zone where it is link-local, as fe80::1%eth0, and only there. */
export const ZonedAddress = usable(
  parseIp,
  "expected an IPv6 or IPv4 address, with a zone where it is link-local",
)
  .refine(
    (text) => isLinkLocal(text) || !text.includes("%"),
    "only a link-local address has a zone",
  )
  .refine(
    (text) => text.includes("%") || !isLinkLocal(text),
    "a link-local address needs its interface, as fe80::1%eth0",
  )
  .transform(canonicalIp);

const isSingle = ({ family, length }: Cidr) => length === bitsOf(family);

// Two addresses are all that a point-to-point link has, so both are hosts' (RFC 6164, RFC 3021).
const isPair = ({ family, length }: Cidr) => length === bitsOf(family) - 1;

/** Why no interface can have the address. */
function notOfAnInterface(cidr: Cidr): string | undefined {
  const unusable = UNUSABLE[scopeOf(cidr)];
  if (unusable !== undefined) return unusable;
  if (cidr.length === 0) return "a prefix of length 0 holds every address";
  if (isSingle(cidr) || isPair(cidr)) return undefined;
  if (cidr.value === networkOf(cidr))
    return "this is the network's address, not one of an interface";
  if (cidr.family === "IPv4" && cidr.value === lastOf(cidr))
    return "this is the network's broadcast address, not one of an interface";
  return undefined;
}

/** An address with its prefix length, in its one spelling, that has no such fault. */
const cidr = (expected: string, faultOf: (given: Cidr) => string | undefined) =>
  z
    .string()
    .superRefine((text, context) => {
      const given = parseCidr(text);
      const message = given === undefined ? expected : faultOf(given);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    })
    .transform(canonicalCidr);

/** An interface's own address with its prefix length, as 2001:db8:1::11/64. */
export const InterfaceAddress = cidr(
  "expected an address with its prefix length, as 2001:db8:1::11/64",
  notOfAnInterface,
);

/** Why a block is no network that packets are sent to. */
function notANetwork(cidr: Cidr): string | undefined {
  if (cidr.value !== networkOf(cidr))
    return "bits are set after the prefix: this is an address, not a network";
  // ::/0 and 0.0.0.0/0 begin with the unspecified address, and are everything.
  if (cidr.length === 0) return undefined;
  return UNUSABLE[scopeOf(cidr)];
}

/** A network, as 2001:db8:1::/64: no bits set after the prefix. */
export const Network = cidr("expected a network, as 2001:db8:1::/64", notANetwork);
