import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { PlaybookError } from "#engine/errors/error.ts";

export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/**
 * The checksum that a checksum file gives for a file: a list of `HEX  NAME` lines (`*` before the name, a path, a PGP
 * signature around them are all in use), or the bare checksum. Undefined where the file is not named.
 */
export function checksumFor(name: string, checksums: string): string | undefined {
  for (const line of checksums.split("\n")) {
    const [, sha256, listed] = /^([0-9a-fA-F]{64})(?:\s+\*?(\S+))?\s*$/.exec(line) ?? [];
    if (sha256 === undefined) continue;
    if (listed === undefined || listed.split("/").at(-1) === name) return sha256.toLowerCase();
  }
  return undefined;
}

/** The format of sha256sum. */
export const renderSums = (
  sums: readonly { readonly path: string; readonly sha256: string }[],
): string => sums.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("");

/** Refuses a file that is not what its source promised. */
export async function verifyFile(path: string, named: string, want: string): Promise<void> {
  const got = await sha256File(path);
  if (got !== want) throw new PlaybookError("PB_ARTIFACT_CHECKSUM", [named, want, got]);
}
