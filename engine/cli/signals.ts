import type { StopReason } from "../run/stop.ts";

/** How a run is stopped from outside. */
export interface Signals {
  /** Aborted by the first signal: stop at the next safe point. */
  readonly stop: AbortSignal;
  /** Aborted by the second: cut at once. */
  readonly cut: AbortSignal;
  release(): void;
}

interface Process {
  on(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(event: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  exit(code: number): unknown;
}

const CUT_MS = 5000;

/**
 * Listens for Ctrl-C and SIGTERM while a run is on, and tells the operator what each does. `again` is the command that
 * goes on afterwards; the same one where it is not given.
 */
export function listenForSignals(
  process: Process,
  note: (message: string) => void,
  again: string | undefined,
): Signals {
  const stop = new AbortController();
  const cut = new AbortController();
  const how = again === undefined ? "the same command" : `\`${again}\``;
  let last: NodeJS.Timeout | undefined;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      note(
        `Stopping at the next safe point; ${how} goes on from there. Ctrl-C again cuts at once.`,
      );
      stop.abort({ kind: "interrupted" } satisfies StopReason);
      return;
    }
    if (cut.signal.aborted) return;
    note(`Cut: what was under way is in doubt; ${how} looks and mends it.`);
    cut.abort();
    // A run that cannot even be cut is ended: the operator said it twice.
    last = setTimeout(() => process.exit(130), CUT_MS);
    last.unref();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    stop: stop.signal,
    cut: cut.signal,
    release() {
      clearTimeout(last);
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
