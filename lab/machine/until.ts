import { setTimeout as pause } from "node:timers/promises";

/** How long to wait for something, and how often to look. */
export interface Deadline {
  readonly seconds: number;
  /** Milliseconds between two looks. */
  readonly every?: number;
}

/** Looks until there is a value; undefined when the deadline passed. */
export async function until<T>(
  look: () => Promise<T | undefined>,
  { seconds, every = 50 }: Deadline,
): Promise<T | undefined> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() >= end) return undefined;
    await pause(every);
  }
}
