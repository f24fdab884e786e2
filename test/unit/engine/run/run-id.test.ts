import { describe, expect, it } from "vitest";
import { newRunId } from "#engine/run/run-id.ts";

describe("a run's id", () => {
  it("is its second in UTC and four letters", () => {
    const at = Date.UTC(2026, 10, 26, 22, 1, 59, 500);
    expect(newRunId(at, Uint8Array.of(0, 30))).toBe("2026-11-26-220159-hh2z");
  });

  it("differs between two runs of one millisecond", () => {
    const at = Date.UTC(2026, 10, 26);
    const ids = Array.from({ length: 8 }, () => newRunId(at));
    expect(new Set(ids).size).toBeGreaterThan(1);
  });

  it("comes after those of earlier runs of the same second", () => {
    const times = [0, 2, 40, 500, 998].map((ms) => Date.UTC(2026, 10, 26, 22, 1, 59, ms));
    const ids = times.map((at) => newRunId(at));
    expect(ids.toSorted()).toEqual(ids);
  });
});
