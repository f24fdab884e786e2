import type { FileHandle } from "node:fs/promises";

/** Bytes of a block. */
export const BLOCK = 1024 * 1024;
/** Blocks that are kept for whoever comes next to them. */
const KEPT = 32;

/** A block that is not used for another one before it is given back. */
export interface Block {
  /** Fewer than {@link BLOCK} at the file's end, or where it has become shorter. */
  readonly bytes: Buffer;
  giveBack(): void;
}

interface Slot {
  index: number;
  readonly memory: Buffer;
  filled: Promise<Buffer>;
  users: number;
}

/**
 * A file in blocks that many read at once, each at its own pace: one that has been read is kept for the others, while
 * they keep within 32 MiB of each other. Memory is used again, as new memory for every block costs more than the read.
 */
export class Blocks {
  readonly #file: Pick<FileHandle, "read">;
  readonly #size: number;
  readonly #slots: Slot[] = [];

  constructor(file: Pick<FileHandle, "read">, size: number) {
    this.#file = file;
    this.#size = size;
  }

  async take(index: number): Promise<Block> {
    const slot = this.#slots.find((each) => each.index === index) ?? this.#read(index);
    slot.users++;
    const giveBack = () => {
      slot.users--;
    };
    try {
      return { bytes: await slot.filled, giveBack };
    } catch (error) {
      giveBack();
      // A read that failed must not be what others find.
      slot.index = -1;
      throw error;
    }
  }

  #read(index: number): Slot {
    const slot = this.#free();
    slot.index = index;
    slot.filled = this.#fill(slot.memory, index);
    return slot;
  }

  // The one that lies furthest back goes: readers come to what is ahead of them.
  #free(): Slot {
    const idle = this.#slots.filter(({ users }) => users === 0);
    const last = idle.sort((one, other) => one.index - other.index)[0];
    if (last !== undefined && (last.index < 0 || this.#slots.length >= KEPT)) return last;
    const memory = Buffer.allocUnsafeSlow(BLOCK);
    const slot = { index: -1, memory, filled: Promise.resolve(memory), users: 0 };
    this.#slots.push(slot);
    return slot;
  }

  async #fill(memory: Buffer, index: number): Promise<Buffer> {
    const start = index * BLOCK;
    const wanted = Math.min(BLOCK, this.#size - start);
    let length = 0;
    while (length < wanted) {
      const { bytesRead } = await this.#file.read(memory, length, wanted - length, start + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return memory.subarray(0, length);
  }
}
