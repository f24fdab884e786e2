import { type FileHandle, open } from "node:fs/promises";
import { PlaybookError } from "../../errors/error.ts";
import { errnoText } from "../errno.ts";
import { Blocks } from "./blocks.ts";
import { type Content, FileContent, type Sums } from "./content.ts";

interface Shared {
  readonly key: string;
  readonly handle: FileHandle;
  readonly content: Content;
  users: number;
}

/** The local files of a run, each read once however many hosts it goes to; one that changed is read again. */
export class LocalFiles {
  readonly #open = new Map<string, Shared>();
  readonly #sums = new Map<string, Sums>();

  /** A file for as long as `use` takes. @throws PB_LOCAL_FILE where it cannot be opened */
  async with<T>(path: string, use: (content: Content) => Promise<T>): Promise<T> {
    const shared = await this.#join(path).catch((error: unknown) => {
      throw localError(path, error);
    });
    try {
      return await use(shared.content);
    } finally {
      shared.users--;
      if (shared.users === 0) {
        this.#open.delete(shared.key);
        await shared.handle.close();
      }
    }
  }

  // Counted in the same breath as found: who leaves last closes it.
  async #join(path: string): Promise<Shared> {
    const handle = await open(path, "r");
    const { dev, ino, size, mtimeMs, isFile } = await describe(handle);
    const key = `${dev}:${ino}:${size}:${mtimeMs}`;
    const there = this.#open.get(key);
    if (there !== undefined) {
      there.users++;
      await handle.close();
      return there;
    }
    if (!isFile) {
      await handle.close();
      throw new Error("it is no file");
    }
    const sums = this.#sums.get(key) ?? new Map();
    this.#sums.set(key, sums);
    const content = new FileContent(new Blocks(handle, size), size, sums);
    const opened = { key, handle, content, users: 1 };
    this.#open.set(key, opened);
    return opened;
  }
}

async function describe(handle: FileHandle) {
  const stat = await handle.stat();
  return { ...stat, isFile: stat.isFile() };
}

export const localError = (path: string, error: unknown): PlaybookError =>
  new PlaybookError("PB_LOCAL_FILE", [path, errnoText(error)], {}, { cause: error });
