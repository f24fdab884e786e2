/** Time by injection, so that gates, retries and deadlines are tested without waiting. */
export interface Clock {
  /** Milliseconds since the epoch: for people, and for what has to do with the time of day. It can be set, and jump. */
  now(): number;
  /** Whole milliseconds since some moment, never set: for deadlines and durations. */
  steady(): number;
  /** Resolves after ms, rejects when aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}
