import { createHmac, hkdfSync } from "node:crypto";
import { canonical } from "./canonical.ts";

/**
 * Keyed hashes (HMAC-SHA256, 128 bits of it) of one plan: equal values have equal ones, and without the key nobody can
 * try which value one stands for. Another nonce gives others, so that two plans do not show that they share a secret.
 */
export class Digests {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array, nonce: string) {
    this.#key = new Uint8Array(hkdfSync("sha256", key, nonce, "run-playbook plan file", 32));
  }

  of(value: unknown): string {
    const hash = createHmac("sha256", this.#key).update(canonical(value));
    return hash.digest().subarray(0, 16).toString("base64url");
  }
}
