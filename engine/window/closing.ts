import type { Clock } from "../converge/clock.ts";
import { PlaybookError } from "../errors/error.ts";
import { momentIn, openingAt } from "./opening.ts";
import { describeWindow, type Window } from "./parse.ts";

/** When a window opens again: ms since the epoch, and in words. */
export interface NextOpening {
  readonly opensAt: number;
  readonly opens: string;
}

/** A timer stands still while the machine sleeps, and a clock may be set: the time is looked at this often, in ms. */
const LOOK_MS = 20_000;

/** @throws PB_WINDOW_CLOSED outside the window */
export function requireOpen(window: Window, now: number): void {
  const opening = openingAt(window, now);
  if (opening.isOpen) return;
  const opens = momentIn(window, opening.opensAt);
  throw new PlaybookError("PB_WINDOW_CLOSED", [describeWindow(window), opens], {
    state: "nothing was touched",
  });
}

/** Resolves when the window closes; never where it has no end. Rejects when aborted. */
export async function untilClosed(
  window: Window,
  clock: Clock,
  signal: AbortSignal,
): Promise<NextOpening> {
  for (;;) {
    const now = clock.now();
    const opening = openingAt(window, now);
    if (!opening.isOpen)
      return { opensAt: opening.opensAt, opens: momentIn(window, opening.opensAt) };
    await clock.wait(Math.min(LOOK_MS, opening.closesAt - now), signal);
  }
}
