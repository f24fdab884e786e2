import { describe, expect, test } from "vitest";
import type { WindowOptions } from "#engine/dsl/window.ts";
import { requireOpen, untilClosed } from "#engine/window/closing.ts";
import { momentIn, openingAt } from "#engine/window/opening.ts";
import { checkWindow, describeWindow, parseWindow } from "#engine/window/parse.ts";
import { VirtualClock } from "../../../support/virtual-clock.ts";

const berlin = (text: string) => parseWindow(`${text}@Europe/Berlin`);
const utc = (text: string) => parseWindow(`${text}@UTC`);
const at = (text: string) => Date.parse(text);
const declared = (window: WindowOptions) => checkWindow(window, "play.ts:1");

/** "open until …" or "closed until …", in UTC. */
const seen = (window: Parameters<typeof openingAt>[0], now: string) => {
  const opening = openingAt(window, at(now));
  const [word, until] = opening.isOpen ? ["open", opening.closesAt] : ["closed", opening.opensAt];
  return `${word} until ${Number.isFinite(until) ? new Date(until).toISOString().slice(0, 16) : "ever"}`;
};

describe("a window", () => {
  test.each([
    ["2026-06-01T21:59:59.999Z", "closed until 2026-06-01T22:00"],
    ["2026-06-01T22:00:00Z", "open until 2026-06-02T04:00"],
    ["2026-06-02T03:59:59.999Z", "open until 2026-06-02T04:00"],
    ["2026-06-02T04:00:00Z", "closed until 2026-06-02T22:00"],
  ])("over midnight, at %s, is %s", (now, is) => {
    expect(seen(utc("22:00-04:00"), now)).toBe(is);
  });

  test("within a day opens again on the next", () => {
    expect(seen(utc("09:30-17:00"), "2026-06-01T17:00Z")).toBe("closed until 2026-06-02T09:30");
    expect(seen(utc("00:00-24:00"), "2026-06-01T17:00Z")).toBe("open until ever");
    expect(seen(utc("12:00-24:00"), "2026-06-01T17:00Z")).toBe("open until 2026-06-02T00:00");
  });

  test("is in its own time zone, wherever the control machine stands", () => {
    expect(seen(berlin("22:00-04:00"), "2026-01-10T21:30Z")).toBe("open until 2026-01-11T03:00");
    expect(seen(parseWindow("22:00-04:00@Asia/Kolkata"), "2026-01-10T16:30Z")).toBe(
      "open until 2026-01-10T22:30",
    );
  });

  test("is an hour shorter or longer in the nights in which clocks change", () => {
    expect(seen(berlin("22:00-04:00"), "2026-03-28T23:00Z")).toBe("open until 2026-03-29T02:00");
    expect(seen(berlin("22:00-04:00"), "2026-10-24T23:00Z")).toBe("open until 2026-10-25T03:00");
  });

  test("that begins at a time which the clocks skip begins as much later; of one shown twice the first counts", () => {
    expect(seen(berlin("02:30-05:00"), "2026-03-29T00:00Z")).toBe("closed until 2026-03-29T01:30");
    expect(seen(berlin("01:00-02:30"), "2026-10-25T00:00Z")).toBe("open until 2026-10-25T00:30");
  });

  test("that ends at a time which the clocks skip ends as they skip it: nothing is open at 03:20", () => {
    expect(seen(berlin("01:30-02:30"), "2026-03-29T00:45Z")).toBe("open until 2026-03-29T01:00");
    expect(seen(berlin("01:30-02:30"), "2026-03-29T01:20Z")).toBe("closed until 2026-03-29T23:30");
  });

  test("on some days opens on those, and may close on another", () => {
    const weekend = declared({ days: ["fri"], from: "22:00", to: "04:00", timeZone: "UTC" });
    // The first of June 2026 is a Monday.
    expect(seen(weekend, "2026-06-01T23:00Z")).toBe("closed until 2026-06-05T22:00");
    expect(seen(weekend, "2026-06-06T03:00Z")).toBe("open until 2026-06-06T04:00");
    expect(seen(weekend, "2026-06-06T23:00Z")).toBe("closed until 2026-06-12T22:00");
    expect(seen(weekend, "2026-06-12T21:00Z")).toBe("closed until 2026-06-12T22:00");
  });

  test("of whole days in a row does not close at midnight", () => {
    const days = ["sat", "sun"] as const;
    const weekend = declared({ days, from: "00:00", to: "24:00", timeZone: "UTC" });
    expect(seen(weekend, "2026-06-06T12:00Z")).toBe("open until 2026-06-08T00:00");
  });

  test("names itself and its moments as people would", () => {
    const window = declared({ days: ["fri", "sat"], from: "22:00", to: "04:30", timeZone: "UTC" });
    expect(describeWindow(window)).toBe("fri, sat 22:00-04:30 UTC");
    expect(describeWindow(berlin("22:00-04:00"))).toBe("22:00-04:00 Europe/Berlin");
    expect(momentIn(berlin("22:00-04:00"), at("2026-11-27T21:00Z"))).toBe(
      "Fri 2026-11-27 22:00 Europe/Berlin",
    );
  });
});

test.each([
  ["22-04", "is no time of day such as 22:00"],
  ["nonsense", "it is not of the form 22:00-04:00"],
  ["24:00-04:00", '"24:00" is no time of day'],
  ["22:00-22:00", "it opens and closes at the same time"],
  ["22:00-04:60", '"04:60" is no time of day'],
  ["22:00-04:00@Mars/Phobos", '"Mars/Phobos" is no time zone'],
])("--window %s is refused: %s", (text, why) => {
  expect(() => parseWindow(text)).toThrow(
    expect.objectContaining({ code: "PB_WINDOW_INVALID", message: expect.stringContaining(why) }),
  );
});

test("a playbook's window that is none is refused with its place", () => {
  const wrong = { days: [], from: "22:00", to: "4:00" } as const;
  expect(() => declared(wrong)).toThrow(
    expect.objectContaining({
      code: "PB_WINDOW_INVALID",
      message: `The playbook's window cannot be used: days: it opens on no day; to: "4:00" is no time of day such as 22:00.`,
      context: { at: "play.ts:1" },
    }),
  );
});

describe("the end of a window", () => {
  // The virtual clock starts on Thursday, the first of January 2026, 00:00 UTC.
  test("comes to the minute, and tells when it opens again", async () => {
    const clock = new VirtualClock();
    const closed = await untilClosed(utc("22:00-04:00"), clock, new AbortController().signal);
    expect(clock.now()).toBe(at("2026-01-01T04:00Z"));
    expect(closed).toEqual({
      opensAt: at("2026-01-01T22:00Z"),
      opens: "Thu 2026-01-01 22:00 UTC",
    });
  });

  test("is not missed though the machine slept, or its clock was set", async () => {
    const clock = new VirtualClock();
    let slept = 0;
    const sleepy = {
      now: () => clock.now() + slept,
      steady: () => clock.steady(),
      wait: async (ms: number, signal?: AbortSignal) => {
        expect(ms).toBeLessThanOrEqual(20_000);
        await clock.wait(ms, signal);
        slept = 12 * 3_600_000;
      },
    };
    await untilClosed(utc("22:00-04:00"), sleepy, new AbortController().signal);
    expect(clock.now()).toBe(at("2026-01-01T00:00:20Z"));
  });

  test("is waited for no longer than the run goes on", async () => {
    const over = new AbortController();
    const clock = new VirtualClock({ auto: false });
    const waiting = untilClosed(utc("00:00-24:00"), clock, over.signal);
    over.abort();
    await expect(waiting).rejects.toThrow();
  });

  test("refuses whoever comes later, with the time to come again", () => {
    expect(() => requireOpen(utc("22:00-04:00"), at("2026-01-01T04:00Z"))).toThrow(
      expect.objectContaining({
        code: "PB_WINDOW_CLOSED",
        message: "The window 22:00-04:00 UTC is closed; it opens on Thu 2026-01-01 22:00 UTC.",
      }),
    );
    requireOpen(utc("22:00-04:00"), at("2026-01-01T03:59Z"));
  });
});
