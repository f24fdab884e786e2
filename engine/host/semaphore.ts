import { within } from "./deadline.ts";

/** A number of places; whoever finds none waits in line, up to a deadline. */
export class Semaphore {
  #free: number;
  readonly #line: { readonly keep: number; go(): void }[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves with what gives the place back (once). `keep` places are left to others. */
  async acquire(ms: number, late: () => Error, keep = 0): Promise<() => void> {
    if (this.#free > keep) return this.#take();
    const { promise, resolve } = Promise.withResolvers<() => void>();
    const waiter = { keep, go: () => resolve(this.#take()) };
    this.#line.push(waiter);
    return within(ms, promise, () => {
      const at = this.#line.indexOf(waiter);
      if (at >= 0) this.#line.splice(at, 1);
      return late();
    });
  }

  #take(): () => void {
    this.#free--;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#free++;
      const at = this.#line.findIndex(({ keep }) => this.#free > keep);
      if (at >= 0) this.#line.splice(at, 1)[0]?.go();
    };
  }
}
