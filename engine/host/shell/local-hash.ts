import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

/** sha256 of local files, each read once however many hosts it goes to; a file that changed is read again. */
export class LocalHashes {
  readonly #known = new Map<string, Promise<string>>();

  async of(path: string): Promise<string> {
    const { dev, ino, size, mtimeMs } = await stat(path);
    const key = `${dev}:${ino}:${size}:${mtimeMs}`;
    const known = this.#known.get(key) ?? digest(path);
    this.#known.set(key, known);
    try {
      return await known;
    } catch (error) {
      this.#known.delete(key);
      throw error;
    }
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest("hex");
}
