import { createHash, type Hash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { type FileHandle, lstat, open, rename, rm, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { PlaybookError } from "../../errors/error.ts";
import { BlockWriter } from "./block-writer.ts";
import type { Algorithm } from "./content.ts";

/** The start of what is fetched, as far as it is here already. */
export interface Have {
  /** Bytes; 0 where nothing is. */
  readonly length: number;
  /** The hash of that, or "-". */
  readonly hex: string;
}

/** The local side of a download: a file beside its place that a cut leaves, and the next attempt goes on with. */
export class LocalCopy {
  readonly #from: string;
  readonly #to: string;
  readonly #part: string;
  /** Of what is here so far. */
  #hash: Hash | undefined;
  #algorithm: Algorithm = "sha256";
  #size = 0;
  #length = 0;
  /** Whether nothing had to come any more: then the host's hash of the start was one of all. */
  #wasWhole = false;
  /** Whether what is here is the file in its place, not the one beside it. */
  #isPlaced = false;

  constructor(from: string, to: string) {
    this.#from = from;
    this.#to = to;
    this.#part = join(dirname(to), `.${basename(to)}.pb-part`);
  }

  /** Looks for what is here of a file of this size: all of it, or what an earlier attempt left. */
  async find(algorithm: Algorithm, size: number): Promise<Have> {
    this.#algorithm = algorithm;
    this.#size = size;
    const [placed, part] = await Promise.all([lengthOf(this.#to), lengthOf(this.#part)]);
    this.#isPlaced = size > 0 && placed === size;
    if (!this.#isPlaced && (part === 0 || part > size)) return { length: 0, hex: "-" };
    this.#hash = createHash(algorithm);
    // The sum goes on from here: the hash must not be ended.
    for await (const chunk of createReadStream(this.#isPlaced ? this.#to : this.#part))
      this.#hash.update(chunk);
    return { length: this.#isPlaced ? size : part, hex: this.#hash.copy().digest("hex") };
  }

  /** Writes the rest; `kept` says how much of what was found is right. */
  async fill(
    rest: Readable,
    { kept, signal }: { readonly kept: number; readonly signal: AbortSignal },
  ): Promise<void> {
    this.#length = kept;
    this.#wasWhole = kept > 0 && kept === this.#size;
    if (this.#isPlaced && kept === this.#size) return;
    this.#isPlaced = false;
    const hash = kept > 0 && this.#hash !== undefined ? this.#hash : createHash(this.#algorithm);
    this.#hash = hash;
    await this.#refuseTooLarge(kept);
    signal.throwIfAborted();
    const file = await this.#open(kept);
    const tap = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        hash.update(chunk);
        this.#length += chunk.length;
        // Whatever a host sends, no more is written here than it said before.
        if (this.#length > this.#size)
          done(new PlaybookError("PB_TRANSFER_CORRUPT", [this.#from, this.#to]));
        else done(null, chunk);
      },
    });
    // Not part of the pipeline, which would wait for a channel to close that nobody reads any more.
    rest.pipe(tap);
    await pipeline(tap, new BlockWriter(file, kept), { signal });
  }

  /** Whether all is here, by the hash that the host made of all. */
  isWhole(hex: string | undefined): boolean {
    if (this.#length !== this.#size || this.#hash === undefined) return false;
    return this.#wasWhole || hex === this.#hash.copy().digest("hex");
  }

  async place(): Promise<void> {
    if (this.#isPlaced) await rm(this.#part, { force: true });
    else await rename(this.#part, this.#to);
  }

  async drop(): Promise<void> {
    await rm(this.#part, { force: true });
  }

  /** Before a byte is asked for. @throws PB_LOCAL_FILE where the disk would be full */
  async #refuseTooLarge(kept: number): Promise<void> {
    const { bavail, bsize } = await statfs(dirname(this.#part));
    if (this.#size - kept <= bavail * bsize) return;
    const mebibytes = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
    const why = `${this.#from} has ${mebibytes(this.#size)}, and only ${mebibytes(bavail * bsize)} are free`;
    throw new PlaybookError("PB_LOCAL_FILE", [this.#to, why]);
  }

  // A new file is really new: whoever can guess the name may have put a link there.
  async #open(kept: number): Promise<FileHandle> {
    if (kept > 0) return open(this.#part, constants.O_WRONLY | constants.O_NOFOLLOW);
    await rm(this.#part, { force: true });
    return open(this.#part, "wx", 0o600);
  }
}

const lengthOf = async (path: string): Promise<number> => {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() === true ? found.size : 0;
};
