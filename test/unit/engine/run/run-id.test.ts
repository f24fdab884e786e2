import { describe, expect, it } from "vitest";
import { newRunId } from "#engine/run/run-id.ts";

describe("a run's id", () => {
  it("is its minute in UTC and four letters", () => {
    const at = Date.UTC(2026, 10, 26, 22, 1, 59);
    expect(newRunId(at, Uint8Array.of(0, 1, 30, 31))).toBe("2026-11-26-2201-23z2");
  });

  it("differs between two runs of one minute", () => {
    const at = Date.UTC(2026, 10, 26);
    expect(newRunId(at)).not.toBe(newRunId(at));
  });
});
