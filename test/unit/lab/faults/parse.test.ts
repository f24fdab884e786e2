import { describe, expect, it } from "vitest";
import { isHealthy, parseLine, parseSize, splitDelayWords } from "#lab/faults/parse.ts";

describe("a line's delay and loss", () => {
  it.each([
    [{ delay: "50ms" }, { delayMs: 50, lossPercent: 0 }],
    [
      { delay: "1s", loss: 30 },
      { delayMs: 1000, lossPercent: 30 },
    ],
    [
      { delay: "0ms", loss: "2.5" },
      { delayMs: 0, lossPercent: 2.5 },
    ],
    [
      { delay: "0.5ms", loss: "100" },
      { delayMs: 0.5, lossPercent: 100 },
    ],
  ])("are read from %o", (wish, line) => {
    expect(parseLine(wish)).toEqual(line);
  });

  it.each(["50", "ms", "-5ms", "5m", "11s", "1e3ms", "", "50 ms"])(
    'refuse the delay "%s", and say what one looks like',
    (delay) => {
      expect(() => parseLine({ delay })).toThrow(/is no delay: expected 50ms or 1s, 10 s at most/);
    },
  );

  it.each(["-1", "101", "much", "", Number.NaN])('refuse the loss "%s"', (loss) => {
    expect(() => parseLine({ delay: "1ms", loss })).toThrow(/is no loss: 0 to 100 percent/);
  });

  it("of nothing at all are no fault", () => {
    expect(isHealthy(parseLine({ delay: "0ms" }))).toBe(true);
    expect(isHealthy(parseLine({ delay: "0ms", loss: 1 }))).toBe(false);
    expect(isHealthy(parseLine({ delay: "1ms" }))).toBe(false);
  });

  it("come last on the command line, after any number of hosts", () => {
    expect(splitDelayWords(["w1", "w2", "50ms"])).toEqual({ hosts: ["w1", "w2"], delay: "50ms" });
    expect(splitDelayWords(["50ms"])).toEqual({ hosts: [], delay: "50ms" });
  });
});

describe("a size", () => {
  it.each([
    ["0", 0],
    ["4096", 4096],
    ["512K", 524_288],
    ["1M", 1_048_576],
    ["2G", 2_147_483_648],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(["", "1MB", "M", "-1", "1.5M", "1 M", "1T"])('is not "%s"', (text) => {
    expect(() => parseSize(text)).toThrow(/is no size/);
  });
});
