import type { ReportProgress } from "../progress.ts";

interface Piece {
  readonly report: ReportProgress;
  readonly label: string;
  readonly expectedMs?: number;
}

/** Does one piece of work between a started and a done or failed line. */
export async function reported<T>(piece: Piece, work: () => Promise<T>): Promise<T> {
  const { report, label, expectedMs } = piece;
  report({ type: "started", label, ...(expectedMs !== undefined && { expectedMs }) });
  const began = performance.now();
  try {
    const result = await work();
    report({ type: "done", label, ms: Math.round(performance.now() - began), cached: false });
    return result;
  } catch (error) {
    report({ type: "failed", label, error: asError(error) });
    throw error;
  }
}

/** What was thrown, as an error. */
export const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error), { cause: error });
