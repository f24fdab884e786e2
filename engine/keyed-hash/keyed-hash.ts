import { hash } from "node:crypto";
import { canonical } from "./canonical.ts";

/**
 * Values as keyed hashes, 132 bits each: equal values have equal ones, and without the key nobody can read a value from
 * one, nor try which it stands for. Another key gives others, so that two records do not show that they share a secret.
 */
export class KeyedHash {
  readonly #key: string;

  /** 32 bytes, random or derived from such. */
  constructor(key: Uint8Array) {
    this.#key = Buffer.from(key).toString("base64");
  }

  // A secret prefix in place of an HMAC: one call of the library, 15 times as fast for the ten thousand params of a large
  // run. What is cut off keeps a hash from being carried on.
  of(value: unknown): string {
    return hash("sha256", this.#key + canonical(value), "base64url").slice(0, 22);
  }
}
