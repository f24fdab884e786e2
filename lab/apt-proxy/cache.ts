import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { orMissing } from "../machine/files.ts";
import { writeWhole } from "../state/state.ts";

const Entry = z.strictObject({
  url: z.string(),
  size: z.int().nonnegative(),
  contentType: z.string().optional(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
});
/** What is known of a stored answer besides its bytes. */
export type Entry = z.output<typeof Entry>;

/** A stored answer whose bytes are all there. */
export interface Stored {
  readonly entry: Entry;
  readonly file: string;
}

/** Answers on disk, one file and one description per URL. Several labs may share the folder. */
export class PackageCache {
  readonly #folder: string;
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The answer for a URL, or undefined when there is none or its file has not the size it should have. */
  async find(url: string): Promise<Stored | undefined> {
    const text = await orMissing(readFile(this.#about(url), "utf8"));
    if (text === undefined) return undefined;
    const parsed = Entry.safeParse(parseJson(text));
    const size = (await orMissing(stat(this.#file(url))))?.size;
    if (!parsed.success || parsed.data.size !== size || parsed.data.url !== url) return undefined;
    // When it was last asked for: what nobody asks for any more can be removed.
    const now = new Date();
    await orMissing(utimes(this.#about(url), now, now));
    return { entry: parsed.data, file: this.#file(url) };
  }

  /** A file to write an answer into; it is nobody's answer until it is kept. */
  async draft(): Promise<Draft> {
    await mkdir(this.#folder, { recursive: true });
    const file = join(this.#folder, `draft-${randomUUID()}`);
    return { file, handle: await open(file, "wx+") };
  }

  /** Makes a whole draft the answer. In this order, so that no description ever goes with another answer's bytes. */
  async keep(draft: Draft, entry: Entry): Promise<void> {
    await rm(this.#about(entry.url), { force: true });
    await rename(draft.file, this.#file(entry.url));
    await writeWhole(this.#about(entry.url), JSON.stringify(entry), 0o644);
  }

  #file(url: string): string {
    return join(this.#folder, createHash("sha256").update(url).digest("hex"));
  }
  #about(url: string): string {
    return `${this.#file(url)}.json`;
  }
}

/** An answer that is still being written. */
export interface Draft {
  readonly file: string;
  readonly handle: FileHandle;
}

// Half a description is no description: the answer is fetched again.
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
