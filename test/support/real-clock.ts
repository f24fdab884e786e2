import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "#engine/run/options.ts";

/** The time on the wall, for tests in which a host of its own keeps time. */
export const realClock: Clock = {
  now: () => Date.now(),
  steady: () => Math.round(performance.now()),
  wait: async (ms, signal) => {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  },
};
