import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { Draft, Entry, PackageCache } from "./cache.ts";

const CHUNK = 256 * 1024;

/** One answer on its way from the mirror to the disk; any number of clients read it as it grows. */
export class Download {
  readonly entry: Entry;
  readonly #draft: Draft;
  /** Bytes that clients may have. */
  #shown = 0;
  #ended = false;
  #error: Error | undefined;
  #readers = 0;
  #news = Promise.withResolvers<void>();

  private constructor(entry: Entry, draft: Draft) {
    this.entry = entry;
    this.#draft = draft;
  }

  /**
   * Starts writing. `finished` settles when the answer is kept, or was thrown away because it broke off; only then do
   * clients get the last bytes, so that who has the whole answer can rely on its being in the cache.
   */
  static async start(
    cache: PackageCache,
    url: string,
    answer: IncomingMessage,
  ): Promise<{ download: Download; finished: Promise<void> }> {
    const download = new Download(describe(url, answer), await cache.draft());
    return { download, finished: download.#pump(cache, answer) };
  }

  /** Joins as a reader, who must close; false when it has ended and the answer is to be had from the cache. */
  open(): boolean {
    if (this.#ended) return false;
    this.#readers += 1;
    return true;
  }

  async close(): Promise<void> {
    this.#readers -= 1;
    await this.#closeWhenUnread();
  }

  /** The bytes from the start, as they come. */
  async *read(): AsyncGenerator<Uint8Array> {
    let position = 0;
    for (;;) {
      const news = this.#news.promise;
      if (position < this.#shown) {
        const length = Math.min(CHUNK, this.#shown - position);
        const bytes = new Uint8Array(length);
        const { bytesRead } = await this.#draft.handle.read(bytes, 0, length, position);
        position += bytesRead;
        yield bytes.subarray(0, bytesRead);
      } else if (this.#error) throw this.#error;
      else if (this.#ended) return;
      else await news;
    }
  }

  async #pump(cache: PackageCache, answer: IncomingMessage): Promise<void> {
    const { size, url } = this.entry;
    let written = 0;
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        await this.#draft.handle.write(chunk, 0, chunk.length, written);
        written += chunk.length;
        if (written !== size) this.#show(written);
      }
      if (size >= 0 && written !== size)
        throw new Error(`${written} of ${size} bytes came from ${url}`);
      await cache.keep(this.#draft, { ...this.entry, size: written });
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      await rm(this.#draft.file, { force: true });
      throw this.#error;
    } finally {
      this.#ended = true;
      this.#show(this.#error ? this.#shown : written);
      await this.#closeWhenUnread();
    }
  }

  #show(bytes: number): void {
    this.#shown = bytes;
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  async #closeWhenUnread(): Promise<void> {
    if (this.#ended && this.#readers === 0) await this.#draft.handle.close();
  }
}

function describe(url: string, { headers }: IncomingMessage): Entry {
  const size = headers["content-length"];
  return {
    url,
    size: size === undefined ? -1 : Number(size),
    ...(headers["content-type"] === undefined ? {} : { contentType: headers["content-type"] }),
    ...(headers.etag === undefined ? {} : { etag: headers.etag }),
    ...(headers["last-modified"] === undefined ? {} : { lastModified: headers["last-modified"] }),
  };
}
