import { PlaybookError } from "../../errors/error.ts";
import { left } from "../deadline.ts";
import { Semaphore } from "../semaphore.ts";
import { Dropped } from "./client.ts";

/** sshd begins to shed at ten unauthenticated connections (MaxStartups 10:30:100). */
const HANDSHAKES = 8;
const ATTEMPTS = 6;

/** Holds the handshakes with one sshd below what it sheds, and tries again, at random moments, where it shed one. */
export class HandshakeGate {
  readonly #places = new Map<string, Semaphore>();
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  async pass<T>(where: string, until: number, handshake: () => Promise<T>): Promise<T> {
    const places = this.#places.get(where) ?? new Semaphore(HANDSHAKES);
    this.#places.set(where, places);
    let cause: unknown;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const busy = () =>
        new PlaybookError("PB_CONNECT_DROPPED", [where, attempt - 1], {}, { cause });
      const release = await places.acquire(left(until), busy);
      try {
        return await handshake();
      } catch (error) {
        if (!(error instanceof Dropped)) throw error;
        cause = error;
      } finally {
        release();
      }
      const pause = (100 + this.#random() * 300) * attempt;
      if (attempt === ATTEMPTS || left(until) < pause)
        throw new PlaybookError("PB_CONNECT_DROPPED", [where, attempt], {}, { cause });
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    throw new PlaybookError("PB_CONNECT_DROPPED", [where, ATTEMPTS], {}, { cause });
  }
}
