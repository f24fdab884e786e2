/** The part of an open file that a journal is written with. */
export interface JournalFile {
  /** May write less than it was given. */
  write(bytes: Uint8Array): Promise<{ readonly bytesWritten: number }>;
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

interface Batch {
  readonly lines: string[];
  sync: boolean;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Appends lines to a file, one batch at a time: what is asked for while a batch is on its way goes with the next, so
 * that many nodes share one fsync. A line is there as a whole or not at all, unless the process dies over it.
 */
export class Appender {
  readonly #file: JournalFile;
  #size: number;
  #next: Batch | undefined;
  #flushing = false;
  /** Set once what is on the disk is no longer known: nothing is appended behind it. */
  #broken: unknown;

  /** `size` is the file's length, in bytes. */
  constructor(file: JournalFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /**
   * Resolves once the line was handed to the system, which survives the death of this process; with `sync`, once it is
   * on the disk, with all lines before it, which survives a power cut too.
   */
  append(line: string, { sync = false }: { readonly sync?: boolean } = {}): Promise<void> {
    this.#next ??= newBatch();
    const batch = this.#next;
    batch.lines.push(line);
    batch.sync ||= sync;
    if (!this.#flushing) void this.#flush();
    return batch.done.promise;
  }

  /** Once everything is on the disk. */
  async close(): Promise<void> {
    await this.append("", { sync: true }).finally(() => this.#file.close());
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    // All that is asked for in this tick shares the batch.
    await Promise.resolve();
    for (let batch = this.#next; batch !== undefined; batch = this.#next) {
      this.#next = undefined;
      await this.#write(batch).then(batch.done.resolve, batch.done.reject);
    }
    // Within the same turn as the last look for more: a line that comes between would wait for ever.
    this.#flushing = false;
  }

  async #write({ lines, sync }: Batch): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    const bytes = Buffer.from(lines.join(""));
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes.subarray(at));
        at += bytesWritten;
      }
    } catch (error) {
      // A part of a line may not stay: the next one would begin in its middle.
      await this.#file.truncate(this.#size).catch(() => {
        this.#broken = error;
      });
      throw error;
    }
    this.#size += bytes.length;
    if (sync)
      await this.#file.datasync().catch((error: unknown) => {
        // After a failed fsync the system may have dropped the pages: asking again would say yes to nothing.
        this.#broken = error;
        throw error;
      });
  }
}

function newBatch(): Batch {
  const done = Promise.withResolvers<void>();
  // Not everybody waits: whoever is to change something does, and hears of it.
  done.promise.catch(() => undefined);
  return { lines: [], sync: false, done };
}
