import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { Draft, Entry, PackageCache } from "./cache.ts";

const CHUNK = 256 * 1024;

/** One answer on its way from the mirror to the disk; any number of clients read it as it grows. */
export class Download {
  readonly entry: Entry;
  readonly #draft: Draft;
  #written = 0;
  #ended = false;
  #error: Error | undefined;
  #readers = 0;
  #news = Promise.withResolvers<void>();

  private constructor(entry: Entry, draft: Draft) {
    this.entry = entry;
    this.#draft = draft;
  }

  /** Starts writing; `finished` settles when the answer is kept, or was thrown away because it broke off. */
  static async start(
    cache: PackageCache,
    url: string,
    answer: IncomingMessage,
  ): Promise<{ download: Download; finished: Promise<void> }> {
    const entry = describe(url, answer);
    const download = new Download(entry, await cache.draft());
    return { download, finished: download.#pump(cache, answer) };
  }

  /** True when the mirror said how long the answer is. */
  get sized(): boolean {
    return this.entry.size >= 0;
  }

  /** The bytes from the start, as they come. */
  async *read(): AsyncGenerator<Uint8Array> {
    this.#readers += 1;
    try {
      let position = 0;
      for (;;) {
        const news = this.#news.promise;
        if (position < this.#written) {
          const length = Math.min(CHUNK, this.#written - position);
          const { bytesRead, buffer } = await this.#draft.handle.read(
            new Uint8Array(length),
            0,
            length,
            position,
          );
          position += bytesRead;
          yield buffer.subarray(0, bytesRead);
        } else if (this.#error) throw this.#error;
        else if (this.#ended) return;
        else await news;
      }
    } finally {
      this.#readers -= 1;
      await this.#closeWhenUnread();
    }
  }

  async #pump(cache: PackageCache, answer: IncomingMessage): Promise<void> {
    try {
      for await (const chunk of answer) {
        await this.#draft.handle.write(chunk as Buffer, 0, undefined, this.#written);
        this.#written += (chunk as Buffer).length;
        this.#tell();
      }
      if (this.sized && this.#written !== this.entry.size)
        throw new Error(`${this.#written} of ${this.entry.size} bytes came from ${this.entry.url}`);
      await cache.keep(this.#draft, { ...this.entry, size: this.#written });
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      await rm(this.#draft.file, { force: true });
      throw this.#error;
    } finally {
      this.#ended = true;
      this.#tell();
      await this.#closeWhenUnread();
    }
  }

  #tell(): void {
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
