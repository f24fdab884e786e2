import { createHash, type Hash } from "node:crypto";
import { BLOCK, type Block, type Blocks } from "./blocks.ts";

/** Hashes that both ends have; which one is quicker is for the host to say. */
export type Algorithm = "sha256" | "blake2b512";

/** What goes to a host: a local file, or bytes in memory. */
export interface Content {
  /** Bytes. */
  readonly size: number;
  /** All of it from an offset on. A chunk is valid until the next one is asked for. */
  chunks(from: number): AsyncGenerator<Uint8Array>;
  /** Says that the hash of all will be asked for, so that it is made of what is read meanwhile. */
  expect(algorithm: Algorithm): void;
  /** The hash of all in hex, or of so many bytes from the start. */
  sum(algorithm: Algorithm, length?: number): Promise<string>;
}

export const contentOf = (bytes: Uint8Array): Content => ({
  size: bytes.length,
  async *chunks(from) {
    yield bytes.subarray(from);
  },
  expect: () => undefined,
  sum: async (algorithm, length = bytes.length) =>
    createHash(algorithm).update(bytes.subarray(0, length)).digest("hex"),
});

/** Sums of one state of a file, kept as long as the run. */
export type Sums = Map<Algorithm, Promise<string>>;

interface Running {
  readonly hash: Hash;
  /** The block that it goes on with. */
  next: number;
}

/** One state of a local file. Its sums are made of blocks as they pass, whoever reads them first. */
export class FileContent implements Content {
  readonly size: number;
  readonly #blocks: Blocks;
  readonly #sums: Sums;
  readonly #running = new Map<Algorithm, Running>();

  constructor(blocks: Blocks, size: number, sums: Sums) {
    this.#blocks = blocks;
    this.size = size;
    this.#sums = sums;
  }

  async *chunks(from: number): AsyncGenerator<Buffer> {
    let ahead = this.#ahead(Math.floor(from / BLOCK));
    try {
      for (let index = Math.floor(from / BLOCK); index * BLOCK < this.size; index++) {
        const block = await ahead;
        // While one block is on its way, the next one is read.
        ahead = this.#ahead(index + 1);
        try {
          yield block.bytes.subarray(Math.max(0, from - index * BLOCK));
        } finally {
          block.giveBack();
        }
      }
    } finally {
      ahead.then(({ giveBack }) => giveBack()).catch(() => undefined);
    }
  }

  expect(algorithm: Algorithm): void {
    if (this.#sums.has(algorithm) || this.#running.has(algorithm)) return;
    this.#running.set(algorithm, { hash: createHash(algorithm), next: 0 });
  }

  sum(algorithm: Algorithm, length = this.size): Promise<string> {
    if (length < this.size) return this.#sumOfStart(algorithm, length);
    const known = this.#sums.get(algorithm) ?? this.#finish(algorithm);
    this.#sums.set(algorithm, known);
    known.catch(() => this.#sums.delete(algorithm));
    return known;
  }

  async #finish(algorithm: Algorithm): Promise<string> {
    this.expect(algorithm);
    const running = this.#running.get(algorithm) ?? { hash: createHash(algorithm), next: 0 };
    while (running.next * BLOCK < this.size) (await this.#take(running.next)).giveBack();
    this.#running.delete(algorithm);
    return running.hash.digest("hex");
  }

  async #sumOfStart(algorithm: Algorithm, length: number): Promise<string> {
    const hash = createHash(algorithm);
    for (let at = 0; at < length; at += BLOCK) {
      const block = await this.#take(at / BLOCK);
      hash.update(block.bytes.subarray(0, length - at));
      block.giveBack();
    }
    return hash.digest("hex");
  }

  #ahead(index: number): Promise<Block> {
    const block = index * BLOCK < this.size ? this.#take(index) : Promise.resolve(NO_BLOCK);
    // Whoever comes to it hears of it.
    block.catch(() => undefined);
    return block;
  }

  async #take(index: number): Promise<Block> {
    const block = await this.#blocks.take(index);
    if (block.bytes.length !== Math.min(BLOCK, this.size - index * BLOCK)) {
      block.giveBack();
      throw new Error("it changed while it was read");
    }
    for (const running of this.#running.values())
      if (running.next === index) {
        running.hash.update(block.bytes);
        running.next++;
      }
    return block;
  }
}

const NO_BLOCK: Block = { bytes: Buffer.alloc(0), giveBack: () => undefined };
