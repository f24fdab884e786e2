import type { Playbook } from "../dsl/playbook.ts";
import type { Clock } from "../run/options.ts";
import type { StopReason } from "../run/stop.ts";

/** The window of one run, as the run's surroundings need it. */
export interface RunWindow {
  /** @throws PB_WINDOW_CLOSED outside */
  requireOpen(): void;
  /** A signal that the window's end aborts, with the reason, and a word to the operator; `release` ends the watch. */
  watch(note: (message: string) => void): { readonly stop: AbortSignal; release(): void };
}

/** The window that the command line gives, else the playbook's own; undefined where any time will do. */
export async function runWindow(
  given: string | undefined,
  { options, at }: Playbook,
  clock: Clock,
): Promise<RunWindow | undefined> {
  if (given === undefined && options.window === undefined) return undefined;
  // Time zones are a library of their own, which most runs need not load.
  const [{ checkWindow, parseWindow }, { requireOpen, untilClosed }] = await Promise.all([
    import("../window/parse.ts"),
    import("../window/closing.ts"),
  ]);
  const declared = options.window === undefined ? undefined : checkWindow(options.window, at);
  const window = given === undefined ? declared : parseWindow(given);
  if (window === undefined) return undefined;
  return {
    requireOpen: () => requireOpen(window, clock.now()),
    watch(note) {
      const stop = new AbortController();
      const over = new AbortController();
      void untilClosed(window, clock, over.signal).then(
        (next) => {
          note(
            `The window closed: stopping at the next safe point. It opens again on ${next.opens}.`,
          );
          stop.abort({ kind: "window-closed", ...next } satisfies StopReason);
        },
        (error: unknown) => {
          if (!over.signal.aborted) throw error;
        },
      );
      return { stop: stop.signal, release: () => over.abort() };
    },
  };
}
