import type { WriteChange } from "../dsl/change.ts";
import { isSecret } from "../dsl/secret.ts";
import { bytesOfText } from "./file-text.ts";

/** The bytes of a file, or of standard input, to be. */
export function bytesOf(content: WriteChange["content"]): Uint8Array {
  const plain = isSecret(content) ? content.reveal() : content;
  return typeof plain === "string" ? bytesOfText(plain) : plain;
}
