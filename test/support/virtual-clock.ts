import type { Clock } from "#engine/run/options.ts";

interface Timer {
  readonly due: number;
  readonly ring: () => void;
}

/**
 * Time that passes only when nothing else is left to do: every wait is over at once in real time, in the right order.
 * With `auto: false` it passes only by `advance`, for tests that hold a node open by hand.
 */
export class VirtualClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #jumped = 0;
  #timers: Timer[] = [];
  #ticking = false;
  readonly #auto: boolean;

  constructor({ auto = true }: { auto?: boolean } = {}) {
    this.#auto = auto;
  }

  now(): number {
    return this.#now + this.#jumped;
  }

  steady(): number {
    return this.#now;
  }

  /** Sets the time of day by so many ms, back where negative, while no time passes. */
  jump(ms: number): void {
    this.#jumped += ms;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const timer: Timer = {
        due: this.#now + ms,
        ring: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#timers.push(timer);
      this.#tickLater();
    });
  }

  /** Lets time pass, ringing what is due on the way, and lets what follows from it happen. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let next = this.#next(); next !== undefined && next.due <= until; next = this.#next()) {
      this.#ring(next);
      await settled();
    }
    this.#now = until;
  }

  #next(): Timer | undefined {
    return this.#timers.reduce<Timer | undefined>(
      (first, timer) => (first === undefined || timer.due < first.due ? timer : first),
      undefined,
    );
  }

  #ring(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
    this.#now = Math.max(this.#now, timer.due);
    timer.ring();
  }

  #tickLater(): void {
    if (!this.#auto || this.#ticking) return;
    this.#ticking = true;
    void settled().then(() => {
      this.#ticking = false;
      const next = this.#next();
      if (next === undefined) return;
      this.#ring(next);
      this.#tickLater();
    });
  }
}

/** Turns of the event loop; looks that wait for others to share their way take several, one after another. */
const TURNS = 40;

/** Everything that can happen without time passing has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
