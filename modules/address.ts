/** Addresses in params: checked with ip-address, compared in one spelling. */
import { Address4, Address6 } from "ip-address";
import { z } from "zod";

const parsed = (text: string): Address4 | Address6 | undefined => {
  if (Address4.isValid(text)) return new Address4(text);
  return Address6.isValid(text) ? new Address6(text) : undefined;
};

/** The one spelling of an address, without prefix or zone; the text itself where it is none. */
export const canonical = (text: string): string => parsed(text)?.correctForm() ?? text;

/** The one spelling of an address with its prefix length. */
export const canonicalCidr = (text: string): string => {
  const address = parsed(text);
  return address === undefined ? text : `${address.correctForm()}/${address.subnetMask}`;
};

export const isIPv6 = (text: string): boolean => Address6.isValid(text);

/** Whether it means nothing without an interface: fe80::/10. */
export const isLinkLocal = (text: string): boolean => /^fe[89ab][0-9a-f]:/i.test(text);

/** An IPv6 or IPv4 address without brackets, prefix or zone. */
export const Address = z
  .string()
  .refine(
    (text) => !/[/%[]/.test(text) && parsed(text) !== undefined,
    "expected an IPv6 or IPv4 address without brackets, prefix or zone",
  );

/** An address that may carry a zone, as fe80::1%eth0: for what is reached from a host. */
export const ZonedAddress = z.string().refine((text) => {
  const [address = "", zone] = text.split("%");
  return Address.safeParse(address).success && (zone === undefined || /^[\w.-]+$/.test(zone));
}, "expected an IPv6 or IPv4 address, with a zone where it is link-local");

const isNetwork = (text: string): boolean => {
  const address = parsed(text);
  if (address === undefined) return false;
  const single = address.subnetMask === (address instanceof Address6 ? 128 : 32);
  return !single && address.startAddress().correctForm() === address.correctForm();
};

/** An interface's own address with its prefix length, as 2001:db8:1::11/64. */
export const InterfaceAddress = z
  .string()
  .refine(
    (text) => /^[^%]+\/\d+$/.test(text) && parsed(text) !== undefined,
    "expected an address with its prefix length, as 2001:db8:1::11/64",
  )
  .refine((text) => !isNetwork(text), "this is the network's address, not one of an interface");

/** A network, as 2001:db8:1::/64: no bits set after the prefix. */
export const Network = z
  .string()
  .refine(
    (text) => /^[^%]+\/\d+$/.test(text) && parsed(text) !== undefined,
    "expected a network, as 2001:db8:1::/64",
  )
  .refine(
    (text) => isNetwork(text) || /\/(128|32)$/.test(text),
    "bits are set after the prefix: this is an address, not a network",
  );
