/** Time by injection, so that gates, retries and deadlines are tested without waiting. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after ms, rejects when aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}
