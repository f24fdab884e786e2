import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { timerIn } from "#engine/host/deadline.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const DAY = 86_400_000;

test("a timer of more than 24.8 days does not ring at once, but in its time", () => {
  const ring = vi.fn();
  timerIn(60 * DAY, ring);
  vi.advanceTimersByTime(59 * DAY);
  expect(ring).not.toHaveBeenCalled();
  vi.advanceTimersByTime(DAY);
  expect(ring).toHaveBeenCalledOnce();
});

test("one that is called off after 30 days never rings", () => {
  const ring = vi.fn();
  const timer = timerIn(60 * DAY, ring);
  vi.advanceTimersByTime(30 * DAY);
  timer.clear();
  vi.advanceTimersByTime(60 * DAY);
  expect(ring).not.toHaveBeenCalled();
});
