import { appendFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { PlaybookError } from "../../errors/error.ts";
import { fingerprint, hashedName, type KnownHost, keyType } from "./known-hosts.ts";
import { textOf, unusable } from "./known-hosts-files.ts";

export interface HostKeyPolicy {
  /** Under which the host may be kept; a new key is kept under the first. */
  readonly names: readonly string[];
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

  /** `entries` are those that speak of one of the policy's names. */
  constructor(policy: HostKeyPolicy, entries: readonly KnownHost[]) {
    this.#policy = policy;
    this.#name = policy.names[0] ?? "";
    this.#entries = entries;
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
    const host = this.#name;
    const revoked = this.#entries.find((e) => e.marker === "revoked" && e.key === blob);
    if (revoked) return new PlaybookError("PB_HOST_KEY_REVOKED", [host, shown, revoked.at]);
    if (this.#plain.some((entry) => entry.key === blob)) return undefined;
    // A known host that shows a key of another type is as suspicious as one with another key of the same type.
    const other = this.#plain.find((entry) => entry.type === keyType(key)) ?? this.#plain[0];
    if (other) return new PlaybookError("PB_HOST_KEY_CHANGED", [host, shown, other.at]);
    const authority = this.#entries.find((entry) => entry.marker === "cert-authority");
    if (authority) return new PlaybookError("PB_HOST_KEY_CERTIFICATE", [host, authority.at]);
    if (this.#policy.acceptNew) return "new";
    return new PlaybookError("PB_HOST_KEY_UNKNOWN", [host, shown, this.#policy.files]);
  }

  /** Remembers a key that was seen for the first time. */
  async remember(key: Buffer): Promise<void> {
    const [file] = this.#policy.files;
    if (file === undefined) return;
    const name = this.#policy.hashed ? hashedName(this.#name) : this.#name;
    const present = await textOf(file);
    const begin = present === "" || present.endsWith("\n") ? "" : "\n";
    // One write, so that hosts which are met at the same time do not mix their lines.
    const line = `${begin}${name} ${keyType(key)} ${key.toString("base64")}\n`;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await appendFile(file, line, { mode: 0o600 });
    } catch (error) {
      throw unusable(file, error);
    }
  }
}
