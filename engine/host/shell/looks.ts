import { isPlaybookError } from "../../errors/error.ts";
import type { FileStat } from "../connection.ts";
import { deadlineIn, left } from "../deadline.ts";
import type { CallSettings, Calls } from "./calls.ts";
import { absolute, readReply, readWork, statReply, statWork } from "./files.ts";
import { type Found, lookReply, lookWork } from "./look-work.ts";

/** Paths in one request; a list of arguments has its limits. */
const MOST = 200;
const DEFAULT_TIMEOUT = 60_000;

/** Looks of one tick, by one user. */
interface Batch {
  /** True for those of which the content is wanted, too. */
  readonly paths: Map<string, boolean>;
  /** The shortest of those who wait. */
  timeoutMs: number;
  readonly found: Promise<ReadonlyMap<string, Found>>;
}

/**
 * Looks at files. Those asked for in one tick share not only the round trip but three programs on the host, however
 * many they are: starting programs is most of what a look costs there. Whatever is not plain (a symlink, a file that
 * changes meanwhile, no permission, any error) is looked at once more, alone, and that answer counts.
 */
export class Looks {
  readonly #calls: Calls;
  readonly #batches = new Map<string | undefined, Batch>();

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  async stat(path: string, settings: CallSettings = {}): Promise<FileStat | undefined> {
    const { found, rest } = await this.#together(path, settings, false);
    if (found) return found.stat;
    return statReply(path, await this.#calls.call(statWork(path), rest));
  }

  async read(path: string, settings: CallSettings = {}): Promise<Buffer | undefined> {
    const { found, rest } = await this.#together(path, settings, true);
    if (found) return found.content;
    return readReply(path, await this.#calls.call(readWork(path), rest));
  }

  /** What a batch found, and the settings with what time is left for a look alone. */
  async #together(path: string, settings: CallSettings, content: boolean) {
    const { timeoutMs = DEFAULT_TIMEOUT, long = false, signal, as } = settings;
    if (long || signal?.aborted) return { found: undefined, rest: settings };
    const until = deadlineIn(timeoutMs);
    const batch = this.#batchOf(as, timeoutMs);
    batch.paths.set(absolute(path), content || batch.paths.get(path) === true);
    batch.timeoutMs = Math.min(batch.timeoutMs, timeoutMs);
    const found = (await batch.found).get(path);
    // Who was called off meanwhile hears of it from the look alone.
    if (signal?.aborted !== true && found) return { found, rest: settings };
    return { found: undefined, rest: { ...settings, timeoutMs: Math.max(1, left(until)) } };
  }

  #batchOf(as: string | undefined, timeoutMs: number): Batch {
    const open = this.#batches.get(as);
    if (open && open.paths.size < MOST) return open;
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, Found>>();
    const batch: Batch = { paths: new Map(), timeoutMs, found: promise };
    this.#batches.set(as, batch);
    // After all that this tick still asks, promise continuations included.
    setImmediate(() => {
      if (this.#batches.get(as) === batch) this.#batches.delete(as);
      resolve(this.#look(batch, as));
    });
    return batch;
  }

  async #look({ paths, timeoutMs }: Batch, as: string | undefined) {
    if (paths.size < 2) return new Map<string, Found>();
    try {
      const settings = { timeoutMs, ...(as !== undefined && { as }) };
      return lookReply(paths, await this.#calls.call(lookWork(paths), settings));
    } catch (error) {
      if (!isPlaybookError(error)) throw error;
      // Each finds out for itself what is wrong.
      return new Map<string, Found>();
    }
  }
}
