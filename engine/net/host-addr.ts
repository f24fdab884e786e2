import { PlaybookError } from "../errors/error.ts";
import { formatIp, parseIp } from "./ip.ts";

const DEFAULT_SSH_PORT = 22;
const NAME = /^[\p{L}\p{N}_](?:[\p{L}\p{N}._-]*[\p{L}\p{N}_.])?$/u;

interface Parts {
  readonly kind: "ipv6" | "ipv4" | "name";
  readonly host: string;
  readonly zone?: string;
  readonly port?: number;
}

/**
 * Where a host is: an address that renders itself for each place it is needed in, so that nothing ever glues brackets,
 * zones and ports together by hand.
 *
 * A port needs brackets: `2001:db8::1:22` is a valid IPv6 address and is taken as one, never as port 22 of
 * `2001:db8::1`. Names and IPv4 take `name:22`.
 */
export class HostAddr {
  readonly kind: Parts["kind"];
  /** RFC 5952 form for IPv6, lower case for names; no brackets, no zone. */
  readonly host: string;
  readonly zone?: string;
  readonly port?: number;

  private constructor(parts: Parts) {
    this.kind = parts.kind;
    this.host = parts.host;
    if (parts.zone !== undefined) this.zone = parts.zone;
    if (parts.port !== undefined) this.port = parts.port;
  }

  /** Reads any form that people write; what cannot be one host is PB_ADDRESS_INVALID with the reason. */
  static parse(text: string): HostAddr {
    return new HostAddr(parse(text));
  }

  /** What ssh, ping and socket calls take: bare, with its zone. */
  ssh(): string {
    return this.zone === undefined ? this.host : `${this.host}%${this.zone}`;
  }

  /** What goes before the colon of scp, sftp and rsync: IPv6 in brackets. */
  scp(): string {
    return this.kind === "ipv6" ? `[${this.ssh()}]` : this.host;
  }

  /** The host part of a URL: IPv6 in brackets, a zone's percent sign escaped (RFC 6874). */
  url(): string {
    if (this.kind !== "ipv6") return this.host;
    return this.zone === undefined ? `[${this.host}]` : `[${this.host}%25${this.zone}]`;
  }

  /** `[addr]:port`; the port that was parsed, or the given one. */
  hostPort(port = this.port ?? DEFAULT_SSH_PORT): string {
    return `${this.scp()}:${port}`;
  }

  /** What a certificate names: neither zone nor brackets. */
  san(): string {
    return this.host;
  }

  /** The canonical text (RFC 5952); the zone stays, as it is part of what a link-local address means. */
  canonical(): string {
    return this.ssh();
  }

  /** An fe80::/10 address: useless without a zone. */
  get linkLocal(): boolean {
    return this.kind === "ipv6" && /^fe[89ab]/.test(this.host);
  }

  withPort(port: number): HostAddr {
    return new HostAddr({ ...this, port });
  }

  toString(): string {
    return this.port === undefined ? this.ssh() : this.hostPort();
  }
}

function parse(text: string): Parts {
  const wrong = (why: string) => new PlaybookError("PB_ADDRESS_INVALID", [text, why]);
  if (text === "") throw wrong("it is empty");
  if (/\s/.test(text)) throw wrong("it holds white space");
  if (text.includes("/")) throw wrong("a prefix or a path is not one host");
  if (text.includes("@") && !text.includes("%"))
    throw wrong("the user goes into a field of its own");

  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) {
    const [, inside = "", port] = bracketed;
    // In a URL the zone's percent sign is written %25 (RFC 6874).
    const parts = ipv6(inside.replace("%25", "%"));
    if (parts === undefined) throw wrong("only an IPv6 address goes into brackets");
    return port === undefined ? parts : { ...parts, port: portOf(port, wrong) };
  }
  if (/[[\]]/.test(text)) throw wrong("the brackets do not match");

  const address = ipv6(text);
  if (address) return address;
  const [host = "", port, ...more] = text.split(":");
  if (more.length > 0) throw wrong("it is no IPv6 address (a port needs brackets: [addr]:port)");
  const parts = nameOrIpv4(host, wrong);
  return port === undefined ? parts : { ...parts, port: portOf(port, wrong) };
}

function ipv6(text: string): Parts | undefined {
  const [, zone] = text.split("%");
  const ip = parseIp(text);
  if (ip?.family !== "IPv6") return undefined;
  // As written: ssh takes it, and the kernel minds it where the address is link-local.
  return {
    kind: "ipv6",
    host: formatIp({ ...ip, zone: "" }),
    ...(zone === undefined ? {} : { zone }),
  };
}

function nameOrIpv4(host: string, wrong: (why: string) => Error): Parts {
  if (host.includes("%")) throw wrong("only an IPv6 address has a zone");
  if (/^[\d.]+$/.test(host)) {
    if (parseIp(host) === undefined) throw wrong("it is no IPv4 address");
    return { kind: "ipv4", host };
  }
  if (!NAME.test(host)) throw wrong("a name has letters, digits, dots and hyphens");
  return { kind: "name", host: host.toLowerCase() };
}

function portOf(text: string, wrong: (why: string) => Error): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw wrong("the port is not 1 to 65535");
  return port;
}
