import { createHash, createHmac, randomBytes } from "node:crypto";

/** One line of a known_hosts file. */
export interface KnownHost {
  readonly marker?: "cert-authority" | "revoked";
  /** Comma-separated patterns, or one hashed name. */
  readonly hosts: string;
  readonly type: string;
  /** The key blob, base64. */
  readonly key: string;
  /** File:line. */
  readonly at: string;
}

/** Lines that are no entries (comments, damage) are passed over, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const entries: KnownHost[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === "" || words[0]?.startsWith("#")) continue;
    const marker = words[0]?.startsWith("@") ? words.shift()?.slice(1) : undefined;
    const [hosts, type, key] = words;
    if (hosts === undefined || type === undefined || key === undefined) continue;
    const entry = { hosts, type, key, at: `${file}:${index + 1}` };
    if (marker === undefined) entries.push(entry);
    else if (marker === "cert-authority" || marker === "revoked")
      entries.push({ marker, ...entry });
  }
  return entries;
}

/** Whether an entry speaks of this name: `host`, or `[host]:port` where the port is not 22. */
export function speaksOf({ hosts }: KnownHost, name: string): boolean {
  if (hosts.startsWith("|1|")) return hashMatches(hosts, name);
  let matched = false;
  for (const pattern of hosts.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!");
    if (!wildcard(negated ? pattern.slice(1) : pattern).test(name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function hashMatches(hosts: string, name: string): boolean {
  const [, , salt = "", digest = ""] = hosts.split("|");
  return hmac(Buffer.from(salt, "base64"), name) === digest;
}

const hmac = (salt: Buffer, name: string): string =>
  createHmac("sha1", salt).update(name).digest("base64");

/** A name as `HashKnownHosts yes` stores it: whoever reads the file does not learn it. */
export function hashedName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${hmac(salt, name)}`;
}

/** A pattern with "*" and "?" only: brackets are part of `[host]:port`. */
export function wildcard(pattern: string): RegExp {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}

/** The name under which known_hosts files keep a host. */
export const knownName = (host: string, port: number): string =>
  port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  const digest = createHash("sha256").update(key).digest("base64").replace(/=+$/, "");
  return `${keyType(key)} SHA256:${digest}`;
}

/** The type that a key blob names itself. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return "unknown";
  return key.toString("latin1", 4, 4 + Math.min(key.readUInt32BE(0), 64));
}
