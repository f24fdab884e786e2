import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../run/options.ts";

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => Math.round(performance.now()),
  wait: (ms, signal) => wait(ms, undefined, signal === undefined ? {} : { signal }),
};
