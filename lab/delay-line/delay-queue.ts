/** Where a queue takes time and chance from. */
export interface Nature {
  /** Milliseconds of a clock that all threads share and that only goes forward. */
  now(): number;
  /** Evenly spread, from 0 up to but not including 1. */
  random(): number;
}

/** What one direction of a line does to what it carries. */
export interface Ailment {
  readonly delayMs: number;
  /** How many of a hundred frames are lost. */
  readonly lossPercent: number;
}

/** What became of the frames so far. */
export interface LineCounts {
  readonly carried: number;
  /** On purpose. */
  readonly lost: number;
  /** Because more were on their way than the queue holds. */
  readonly overflowed: number;
}

/** How many frames are on their way at most: 12 MB of full ones. */
const SLOTS = 8192;
/** A full Ethernet frame with VLAN tags is 1522 bytes. */
const SLOT_BYTES = 2048;

const [ADDED, TAKEN, LOST, OVERFLOWED] = [0, 1, 2, 3] as const;
const HEAD_BYTES = 4 * Int32Array.BYTES_PER_ELEMENT;
const BYTES_PER_FRAME = Float64Array.BYTES_PER_ELEMENT + Int32Array.BYTES_PER_ELEMENT + SLOT_BYTES;

/**
 * The frames of one direction, in order, each with the time when it is due. One thread adds, another one takes; they
 * share the memory, so that a thread that waits for the next frame holds up nothing that is on its way already.
 */
export class DelayQueue {
  readonly #ailment: Ailment;
  readonly #nature: Nature;
  readonly #slots: number;
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #due: Float64Array<SharedArrayBuffer>;
  readonly #lengths: Int32Array<SharedArrayBuffer>;
  readonly #frames: Uint8Array<SharedArrayBuffer>;
  // Where a frame goes for which there is no room: it has to be read from the card all the same.
  readonly #spare = new Uint8Array(SLOT_BYTES);

  constructor(memory: SharedArrayBuffer, ailment: Ailment, nature: Nature) {
    this.#ailment = ailment;
    this.#nature = nature;
    const slots = Math.floor((memory.byteLength - HEAD_BYTES) / BYTES_PER_FRAME);
    const lengthsAt = HEAD_BYTES + slots * Float64Array.BYTES_PER_ELEMENT;
    const framesAt = lengthsAt + slots * Int32Array.BYTES_PER_ELEMENT;
    this.#slots = slots;
    this.#counts = new Int32Array(memory, 0, 4);
    this.#due = new Float64Array(memory, HEAD_BYTES, slots);
    this.#lengths = new Int32Array(memory, lengthsAt, slots);
    this.#frames = new Uint8Array(memory, framesAt, slots * SLOT_BYTES);
  }

  /** Memory for a queue of so many frames; a power of two, for the counters go round. */
  static memory(slots = SLOTS): SharedArrayBuffer {
    return new SharedArrayBuffer(HEAD_BYTES + slots * BYTES_PER_FRAME);
  }

  /** Where the next frame is to be written; {@link arrived} says that it is there. */
  get room(): Uint8Array {
    return this.#isFull ? this.#spare : this.#frame(this.#position(ADDED), SLOT_BYTES);
  }

  /** Takes in the frame that was written to {@link room}, unless it is one to be lost. */
  arrived(length: number): void {
    if (this.#nature.random() * 100 < this.#ailment.lossPercent) this.#count(LOST);
    else if (this.#isFull) this.#count(OVERFLOWED);
    else {
      const at = this.#position(ADDED);
      this.#lengths[at] = length;
      this.#due[at] = this.#nature.now() + this.#ailment.delayMs;
      this.#count(ADDED);
      Atomics.notify(this.#counts, ADDED);
    }
  }

  /** Milliseconds until the first frame is due, none or fewer when it is; undefined while no frame is on its way. */
  get dueIn(): number | undefined {
    if (this.#size === 0) return undefined;
    return (this.#due[this.#position(TAKEN)] ?? 0) - this.#nature.now();
  }

  /** Blocks until a frame is on its way. */
  waitForFrame(): void {
    const added = Atomics.load(this.#counts, ADDED);
    if (this.#size === 0) Atomics.wait(this.#counts, ADDED, added);
  }

  /** The first frame; {@link taken} makes room for another. */
  get first(): Uint8Array {
    const at = this.#position(TAKEN);
    return this.#frame(at, this.#lengths[at] ?? 0);
  }

  taken(): void {
    this.#count(TAKEN);
  }

  counts(): LineCounts {
    const read = (which: number) => Atomics.load(this.#counts, which) >>> 0;
    return { carried: read(TAKEN), lost: read(LOST), overflowed: read(OVERFLOWED) };
  }

  get #size(): number {
    return (Atomics.load(this.#counts, ADDED) - Atomics.load(this.#counts, TAKEN)) | 0;
  }

  get #isFull(): boolean {
    return this.#size >= this.#slots;
  }

  #position(which: typeof ADDED | typeof TAKEN): number {
    return (Atomics.load(this.#counts, which) >>> 0) % this.#slots;
  }

  #frame(at: number, length: number): Uint8Array {
    return this.#frames.subarray(at * SLOT_BYTES, at * SLOT_BYTES + length);
  }

  #count(which: number): void {
    Atomics.add(this.#counts, which, 1);
  }
}
