import type { ReportProgress } from "../progress.ts";

/** What a piece of work is called, and how long it took before. */
export interface Work {
  readonly label: string;
  readonly expectedMs?: number;
}

/** Does the work and reports when it starts and how it ends. */
export async function timed<T>(
  report: ReportProgress,
  work: Work,
  task: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  report({ type: "started", ...work });
  try {
    const result = await task();
    const ms = Math.round(performance.now() - start);
    report({ type: "done", label: work.label, ms, cached: false });
    return result;
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    report({ type: "failed", label: work.label, error });
    throw cause;
  }
}
