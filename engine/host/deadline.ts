/** The promise, or the error when it takes longer than `ms`; the timer never keeps the process alive by itself. */
export async function within<T>(
  ms: number,
  promise: Promise<T>,
  late: () => Error | Promise<Error>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), Math.max(0, ms));
  });
  try {
    const first = await Promise.race([promise.then((value) => ({ value })), expired]);
    if (first === "late") throw await late();
    return first.value;
  } finally {
    clearTimeout(timer);
  }
}

/** A point in time so many ms from now, on a clock that nobody sets: a jump of the time of day moves no deadline. */
export const deadlineIn = (ms: number): number => performance.now() + ms;

/** What is left until then, ms. */
export const left = (until: number): number => Math.max(0, until - performance.now());
