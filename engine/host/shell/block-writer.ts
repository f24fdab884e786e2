import type { FileHandle } from "node:fs/promises";
import { Writable } from "node:stream";
import { BLOCK } from "./blocks.ts";

/** Bytes after which the disk is given something to do. */
const FLUSHED = 16 * BLOCK;

/**
 * Writes small pieces to a file in blocks: a write for each packet of a network costs more than the packet. While one
 * block is on its way to the disk, the next one is filled.
 */
export class BlockWriter extends Writable {
  readonly #file: FileHandle;
  #position: number;
  #filling = Buffer.allocUnsafeSlow(BLOCK);
  #writing = Buffer.allocUnsafeSlow(BLOCK);
  #length = 0;
  #written: Promise<void> = Promise.resolve();
  #unflushed = 0;
  #flushing: Promise<void> | undefined;

  /** Takes the file over: it is flushed and closed at the end. */
  constructor(file: FileHandle, position: number) {
    super({ highWaterMark: 2 * BLOCK });
    this.#file = file;
    this.#position = position;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#length + chunk.length <= BLOCK) {
      chunk.copy(this.#filling, this.#length);
      this.#length += chunk.length;
      done();
    } else this.#put(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const finish = async () => {
      await this.#pass();
      await this.#written;
      await this.#flushing;
      await this.#file.sync();
    };
    finish().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const close = () => this.#file.close().then(() => done(error), done);
    Promise.allSettled([this.#written, this.#flushing]).then(close, close);
  }

  async #put(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const copied = chunk.copy(this.#filling, this.#length, at);
      this.#length += copied;
      at += copied;
      if (this.#length === BLOCK) await this.#pass();
    }
  }

  /** Sends what is gathered on its way, once the block before has arrived. */
  async #pass(): Promise<void> {
    await this.#written;
    const full = this.#filling.subarray(0, this.#length);
    [this.#filling, this.#writing] = [this.#writing, this.#filling];
    this.#length = 0;
    this.#written = this.#writeAll(full);
    // Whoever comes to it hears of it.
    this.#written.catch(() => undefined);
  }

  async #writeAll(block: Buffer): Promise<void> {
    for (let at = 0; at < block.length; ) {
      const { bytesWritten } = await this.#file.write(block, at, block.length - at, this.#position);
      at += bytesWritten;
      this.#position += bytesWritten;
    }
    this.#unflushed += block.length;
    if (this.#unflushed >= FLUSHED && this.#flushing === undefined) this.#flush();
  }

  // On the way, so that little is left to wait for at the end.
  #flush(): void {
    this.#unflushed = 0;
    const flushed = () => {
      this.#flushing = undefined;
    };
    // What cannot be flushed now cannot be at the end, where it is heard.
    this.#flushing = this.#file.datasync().then(flushed, flushed);
  }
}
