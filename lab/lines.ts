import type { LabProgress, ReportProgress } from "./progress.ts";

/** Where lines go. */
export interface LineSink {
  write(text: string): unknown;
}

const EVERY_MS = 15_000;

/** Progress as plain lines; work that is known to take long also says how much time is left. */
export function lineProgress(sink: LineSink): ReportProgress {
  const timers = new Map<string, NodeJS.Timeout>();
  return (progress) => {
    clearInterval(timers.get(progress.label));
    timers.delete(progress.label);
    // What was there already is no news: two dozen lines of it would hide what is.
    if (progress.type === "done" && progress.cached) return;
    sink.write(`${describe(progress)}\n`);
    if (progress.type !== "started" || (progress.expectedMs ?? 0) < EVERY_MS) return;
    const start = performance.now();
    const timer = setInterval(() => {
      const left = (progress.expectedMs ?? 0) - (performance.now() - start);
      sink.write(`  ${progress.label}: ${timeLeft(left)}\n`);
    }, EVERY_MS);
    timers.set(progress.label, timer.unref());
  };
}

/** One line for one event. */
export function describe(progress: LabProgress): string {
  const { label } = progress;
  switch (progress.type) {
    case "started":
      return progress.expectedMs === undefined
        ? `${label} …`
        : `${label} … (about ${seconds(progress.expectedMs)})`;
    case "done":
      return `${label}: ${seconds(progress.ms)}`;
    case "failed":
      return `${label}: failed`;
  }
}

/** How much of an estimate is left; an estimate that is over says so instead of counting below zero. */
export const timeLeft = (ms: number): string =>
  ms > 0 ? `about ${seconds(ms)} left` : "takes longer than expected";

const seconds = (ms: number): string =>
  ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
