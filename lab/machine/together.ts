/**
 * Does the same for every item side by side and waits for all of them, then throws the first failure: nothing goes on
 * behind the caller's back after its lock is given back.
 */
export async function together<T>(
  items: Iterable<T>,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(Array.from(items, task));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
