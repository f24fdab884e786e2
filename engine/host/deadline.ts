/** The most that a timer of Node takes, ms: what is longer would be over at once. 24.8 days. */
const LONGEST = 2 ** 31 - 1;

/** A timer that can be called off. */
export interface Timer {
  clear(): void;
}

/** Rings once, so many ms from now, however many these are; Infinity is never. */
export function timerIn(ms: number, ring: () => void): Timer {
  const end = performance.now() + ms;
  let timer: NodeJS.Timeout;
  const set = (left: number) => {
    timer =
      left <= LONGEST
        ? setTimeout(ring, Math.max(0, left))
        : setTimeout(() => set(end - performance.now()), LONGEST);
  };
  set(ms);
  return { clear: () => clearTimeout(timer) };
}

/** The promise, or the error when it takes longer than `ms`; the timer never keeps the process alive by itself. */
export async function within<T>(
  ms: number,
  promise: Promise<T>,
  late: () => Error | Promise<Error>,
): Promise<T> {
  let timer: Timer | undefined;
  const expired = new Promise<"late">((resolve) => {
    timer = timerIn(ms, () => resolve("late"));
  });
  try {
    const first = await Promise.race([promise.then((value) => ({ value })), expired]);
    if (first === "late") throw await late();
    return first.value;
  } finally {
    timer?.clear();
  }
}

/** A point in time so many ms from now, on a clock that nobody sets: a jump of the time of day moves no deadline. */
export const deadlineIn = (ms: number): number => performance.now() + ms;

/** What is left until then, ms. */
export const left = (until: number): number => Math.max(0, until - performance.now());
