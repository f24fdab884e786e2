import { EventEmitter } from "node:events";
import { expect, test, vi } from "vitest";
import { listenForSignals } from "#engine/cli/signals.ts";

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

test("the first signal asks to stop and says how to go on, the second cuts", () => {
  const fake = new FakeProcess();
  const notes: string[] = [];
  const signals = listenForSignals(fake, (note) => notes.push(note), "run-playbook resume r1");
  fake.emit("SIGINT");
  expect([signals.stop.aborted, signals.cut.aborted]).toEqual([true, false]);
  expect(notes).toEqual([
    expect.stringMatching(/next safe point.*`run-playbook resume r1` goes on.*again cuts/),
  ]);
  fake.emit("SIGTERM");
  expect(signals.cut.aborted).toBe(true);
  signals.release();
  expect(fake.listenerCount("SIGINT") + fake.listenerCount("SIGTERM")).toBe(0);
});

test("a run that even a cut does not end is ended", () => {
  vi.useFakeTimers();
  try {
    const fake = new FakeProcess();
    listenForSignals(fake, () => undefined, undefined);
    fake.emit("SIGINT");
    fake.emit("SIGINT");
    vi.advanceTimersByTime(5000);
    expect(fake.exits).toEqual([130]);
  } finally {
    vi.useRealTimers();
  }
});
