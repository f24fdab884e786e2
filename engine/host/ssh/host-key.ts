import { appendFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { PlaybookError } from "../../errors/error.ts";
import { fingerprint, hashedName, type KnownHost, keyType } from "./known-hosts.ts";
import { textOf, unusable } from "./known-hosts-files.ts";

export interface HostKeyPolicy {
  /** Under which the host may be kept; a new key is kept under the first, the others can only say yes. */
  readonly names: readonly string[];
  /** In the order they are read; a new key goes into the first. */
  readonly files: readonly string[];
  readonly acceptNew: boolean;
  /** Store names hashed. */
  readonly hashed: boolean;
}

/** What known_hosts files say of one host. */
export interface KnownEntries {
  /** Under the policy's first name, with the port where that is not 22. */
  readonly own: readonly KnownHost[];
  /** Under the other names, as the one without its port: another server of that address may be meant. */
  readonly elsewhere: readonly KnownHost[];
}

const plain = (entries: readonly KnownHost[]) =>
  entries.filter((entry) => entry.marker === undefined);

/** What is known of one host, read before its handshake. */
export class HostKeys {
  readonly #policy: HostKeyPolicy;
  readonly #name: string;
  readonly #all: readonly KnownHost[];
  readonly #own: readonly KnownHost[];
  readonly #elsewhere: readonly KnownHost[];

  constructor(policy: HostKeyPolicy, { own, elsewhere }: KnownEntries) {
    this.#policy = policy;
    this.#name = policy.names[0] ?? "";
    this.#all = [...own, ...elsewhere];
    this.#own = plain(own);
    this.#elsewhere = plain(elsewhere);
  }

  /** Types of the known keys: asked for first, or the server may show one that nobody knows. */
  get types(): string[] {
    const asked = this.#own.length > 0 ? this.#own : this.#elsewhere;
    return [...new Set(asked.map((entry) => entry.type))];
  }

  /**
   * Undefined where the key is the host's; else why it is refused. As in OpenSSH (check_host_key in sshconnect.c), a
   * name without the port is looked at only where the one with it is unknown, and another key there is no answer.
   */
  judge(key: Buffer): PlaybookError | "new" | undefined {
    const shown = fingerprint(key);
    const blob = key.toString("base64");
    const host = this.#name;
    const revoked = this.#all.find((e) => e.marker === "revoked" && e.key === blob);
    if (revoked) return new PlaybookError("PB_HOST_KEY_REVOKED", [host, shown, revoked.at]);
    const known = this.#own.length > 0 ? this.#own : this.#elsewhere;
    if (known.some((entry) => entry.key === blob)) return undefined;
    // A known host that shows a key of another type is as suspicious as one with another key of the same type.
    const other = this.#own.find((entry) => entry.type === keyType(key)) ?? this.#own[0];
    if (other) return new PlaybookError("PB_HOST_KEY_CHANGED", [host, shown, other.at]);
    const authority = this.#all.find((entry) => entry.marker === "cert-authority");
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
