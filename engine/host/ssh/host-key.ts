import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { PlaybookError } from "../../errors/error.ts";
import { errnoCode } from "../errno.ts";
import {
  fingerprint,
  hashedName,
  type KnownHost,
  keyType,
  knownName,
  parseKnownHosts,
  speaksOf,
} from "./known-hosts.ts";

export interface HostKeyPolicy {
  /** Who the host is in known_hosts: its address, or HostKeyAlias. */
  readonly host: string;
  readonly port: number;
  /** In the order they are read; a new key goes into the first. */
  readonly files: readonly string[];
  readonly acceptNew: boolean;
  /** Store names hashed. */
  readonly hashed: boolean;
}

/** What is known of one host, read before its handshake. */
export class HostKeys {
  readonly #policy: HostKeyPolicy;
  readonly #name: string;
  readonly #entries: readonly KnownHost[];

  private constructor(policy: HostKeyPolicy, entries: readonly KnownHost[]) {
    this.#policy = policy;
    this.#name = knownName(policy.host, policy.port);
    // As ssh: a host on another port is also known by an entry without a port.
    const names = [this.#name, policy.host.toLowerCase()];
    this.#entries = entries.filter((entry) => names.some((name) => speaksOf(entry, name)));
  }

  static async load(policy: HostKeyPolicy): Promise<HostKeys> {
    const entries: KnownHost[] = [];
    for (const file of policy.files) entries.push(...parseKnownHosts(await textOf(file), file));
    return new HostKeys(policy, entries);
  }

  /** Types of the known keys: asked for first, or the server may show one that nobody knows. */
  get types(): string[] {
    return [...new Set(this.#plain.map((entry) => entry.type))];
  }

  get #plain(): readonly KnownHost[] {
    return this.#entries.filter((entry) => entry.marker === undefined);
  }

  /** Undefined where the key is the host's; else why it is refused. */
  judge(key: Buffer): PlaybookError | "new" | undefined {
    const shown = fingerprint(key);
    const blob = key.toString("base64");
    const { host } = this.#policy;
    const revoked = this.#entries.find((e) => e.marker === "revoked" && e.key === blob);
    if (revoked) return new PlaybookError("PB_HOST_KEY_REVOKED", [host, shown, revoked.at]);
    if (this.#plain.some((entry) => entry.key === blob)) return undefined;
    // A known host that shows a key of another type is as suspicious as one with another key of the same type.
    const other = this.#plain.find((entry) => entry.type === keyType(key)) ?? this.#plain[0];
    if (other) return new PlaybookError("PB_HOST_KEY_CHANGED", [host, shown, other.at]);
    const authority = this.#entries.find((entry) => entry.marker === "cert-authority");
    if (authority) return new PlaybookError("PB_HOST_KEY_CERTIFICATE", [host, authority.at]);
    if (this.#policy.acceptNew) return "new";
    return new PlaybookError("PB_HOST_KEY_UNKNOWN", [this.#name, shown, this.#policy.files]);
  }

  /** Remembers a key that was seen for the first time. */
  async remember(key: Buffer): Promise<void> {
    const [file] = this.#policy.files;
    if (file === undefined) return;
    const name = this.#policy.hashed ? hashedName(this.#name) : this.#name;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const present = await textOf(file);
    const begin = present === "" || present.endsWith("\n") ? "" : "\n";
    // One write, so that hosts which are met at the same time do not mix their lines.
    const line = `${begin}${name} ${keyType(key)} ${key.toString("base64")}\n`;
    await appendFile(file, line, { mode: 0o600 });
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return "";
    throw error;
  }
}
