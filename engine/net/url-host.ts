import { isPlaybookError } from "../errors/error.ts";
import { HostAddr } from "./host-addr.ts";

const AUTHORITY = /^(https?:\/\/)((?:[^/?#]*@)?)([^/?#]*)/i;

/** A web address whose scheme and host are in their one spelling; the rest is whatever its server makes of it. */
export const canonicalUrl = (url: string): string =>
  url.replace(AUTHORITY, (_, scheme: string, user: string, host: string) => {
    const addr = HostAddr.parse(host);
    const port = addr.port === undefined ? "" : `:${addr.port}`;
    return `${scheme.toLowerCase()}${user}${addr.url()}${port}`;
  });

/** Why the host of a web address cannot be meant as it is written; undefined where it can. */
export function hostFault(url: string): string | undefined {
  const [, , , host = ""] = AUTHORITY.exec(url) ?? [];
  try {
    return faultOf(HostAddr.parse(host), host);
  } catch (error) {
    if (isPlaybookError(error)) return error.message;
    throw error;
  }
}

function faultOf(addr: HostAddr, written: string): string | undefined {
  if (addr.kind === "ipv6" && !written.startsWith("["))
    return "expected brackets around an IPv6 address, as [2001:db8::1]:8080";
  if (addr.linkLocal && addr.zone === undefined)
    return "a link-local address needs its interface, as [fe80::1%25eth0]";
  if (!addr.linkLocal && addr.zone !== undefined) return "only a link-local address has a zone";
  // 0x7f000001 and a.0x1 are read as IPv4 addresses, or not at all, by what fetches them.
  if (addr.kind === "name" && /(^|\.)(0x[0-9a-f]*|\d+)\.?$/i.test(addr.host))
    return "expected a name, or an IPv4 address as four numbers";
  return undefined;
}
