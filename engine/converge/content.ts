import type { WriteChange } from "../dsl/change.ts";
import { isSecret } from "../dsl/secret.ts";

/** The bytes of a file, or of standard input, to be. */
export function bytesOf(content: WriteChange["content"]): Uint8Array {
  const plain = isSecret(content) ? content.reveal() : content;
  return typeof plain === "string" ? Buffer.from(plain, "utf8") : plain;
}
