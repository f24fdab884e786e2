import { timerIn } from "../host/deadline.ts";
import type { Clock } from "../run/options.ts";

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => Math.round(performance.now()),
  wait: (ms, signal) =>
    // By hand: every node has a timer that is called off, and timers/promises makes an error with a stack for each.
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const abort = () => {
        timer.clear();
        reject(signal?.reason);
      };
      const timer = timerIn(ms, () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
      signal?.addEventListener("abort", abort, { once: true });
    }),
};
