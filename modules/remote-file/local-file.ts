import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { PlaybookError } from "#engine/index.ts";

/** The sha256 of a file on the control machine, hex. @throws PB_LOCAL_FILE where it cannot be read */
export async function sha256OfLocal(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PlaybookError("PB_LOCAL_FILE", [path, why], {}, { cause: error });
  }
  return hash.digest("hex");
}
