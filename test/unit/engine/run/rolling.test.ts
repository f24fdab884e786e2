import { describe, expect, test } from "vitest";
import { PlaybookError } from "#engine/errors/error.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { play } from "../../../support/play.ts";
import { type Act, scripted } from "../../../support/scripted.ts";
import { settled, VirtualClock } from "../../../support/virtual-clock.ts";

const byHand = () => ({ clock: new VirtualClock({ auto: false }) });
const names = (count: number) => Array.from({ length: count }, (_, index) => `h${index + 1}`);
const slowly = (act: (host: string) => Act) =>
  scripted(async (host) => {
    await settled();
    return act(host);
  });

describe("a rolling step", () => {
  test("starts a batch only when the one before has ended, on a ramp", async () => {
    const { module, log } = slowly(() => "change");
    await play(
      ({ step, nodes }) =>
        step("a", { on: nodes, rolling: { batch: [1, 2, "50%"] }, ensure: module({}) }),
      { hosts: names(6), ...byHand() },
    );
    const hosts = (lines: string[]) => lines.map((line) => line.split("@")[1]).sort();
    expect(hosts(log.slice(0, 2))).toEqual(["h1", "h1"]);
    expect(hosts(log.slice(2, 6))).toEqual(["h2", "h2", "h3", "h3"]);
    expect(hosts(log.slice(6, 12))).toEqual(["h4", "h4", "h5", "h5", "h6", "h6"]);
    expect(log[2]).toMatch(/^begin/);
    expect(log[3]).toMatch(/^begin/);
  });

  test("stops at the first failure unless more are allowed, and says why for the rest", async () => {
    const { module } = slowly((host) => (host === "h2" ? "fail" : "change"));
    const { outcomes, end, recap } = await play(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, rolling: { batch: 1 }, ensure: module({}) });
        step("b", { on: nodes, after: [a], ensure: module({ name: "b" }) });
      },
      { hosts: names(4), ...byHand() },
    );
    expect(outcomes).toMatchObject({
      "a @ h1": "changed",
      "a @ h2": "failed",
      "a @ h3": "skipped",
      "a @ h4": "skipped",
      "b @ h1": "skipped",
    });
    expect(end("a", "h4").why).toBe('"a" failed on h2, so no further host was started');
    expect(end("b", "h1").why).toBe('"a" failed on h2');
    expect(recap.exitCode).toBe(1);
  });

  test("counts failures over the whole step, in percent too, and an unreachable host as one", async () => {
    const dead = new FakeHost();
    dead.unreachable = new PlaybookError("PB_CONNECT_REFUSED", ["h1"]);
    const hosts = Object.fromEntries(
      names(10).map((name) => [name, name === "h1" ? dead : new FakeHost()]),
    );
    const { module } = slowly((host) => (["h3", "h5"].includes(host) ? "fail" : "change"));
    const { recap, end } = await play(
      ({ step, nodes }) =>
        step("a", { on: nodes, rolling: { batch: 1, maxFailed: "20%" }, ensure: module({}) }),
      { hosts, ...byHand() },
    );
    expect(recap).toMatchObject({ unreachable: 1, failed: 2, changed: 2, skipped: 5 });
    expect(end("a", "h10").why).toBe(
      '"a" failed on h1, h3, h5, more than the 2 allowed, so no further host was started',
    );
  });
});
