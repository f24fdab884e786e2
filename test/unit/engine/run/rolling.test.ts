import { describe, expect, test } from "vitest";
import { each } from "#engine/dsl/step.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { play } from "../../../support/play.ts";
import { type Act, scripted } from "../../../support/scripted.ts";
import { setting, settingIs } from "../../../support/settings.ts";
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

describe("a gate between the batches of a rolling step", () => {
  const up = settingIs({ value: "up" });
  /** Hosts that say "up" only after so many looks, or never. */
  const rising = (looks: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      Object.entries(looks).map(([name, after]) => {
        const host = new FakeHost();
        let looked = 0;
        const read = host.files.read.bind(host.files);
        host.files.read = (path, user) => {
          if (path !== "/etc/setting-a") return read(path, user);
          looked += 1;
          return Buffer.from(looked > after ? "up" : `down (look ${looked})`);
        };
        return [name, host];
      }),
    );

  test("is asked once the whole batch is done; the next batch starts when it held on each of its hosts", async () => {
    const { module } = scripted();
    const { outcomes, of } = await play(
      ({ step, nodes }) =>
        step("a", {
          on: nodes,
          rolling: { batch: 2, gate: { until: up, within: "1m" } },
          ensure: module({}),
        }),
      { hosts: rising({ h1: 0, h2: 3, h3: 0, h4: 0 }) },
    );
    const order = of("node-started").map(({ step, host }) => `${step} @ ${host}`);
    expect(order).toEqual([
      ...["a @ h1", "a @ h2", "a between batches @ h1", "a between batches @ h2"],
      ...["a @ h3", "a @ h4", "a between batches @ h3", "a between batches @ h4"],
    ]);
    const ends = Object.keys(outcomes);
    expect(ends.indexOf("a between batches @ h2")).toBeLessThan(ends.indexOf("a @ h3"));
    expect(new Set(Object.values(outcomes))).toEqual(new Set(["changed", "ok"]));
    const waits = of("node-waiting").map(({ step, host, saw }) => `${step} @ ${host}: ${saw}`);
    expect(waits[0]).toBe("a between batches @ h2: a is down (look 1)");
  });

  test("that stays closed stops the roll, whatever maxFailed allows, and what comes after it", async () => {
    const { module } = scripted();
    const { outcomes, end, recap, of } = await play(
      ({ step, nodes }) => {
        const a = step("a", {
          on: nodes,
          rolling: { batch: 1, maxFailed: 3, gate: { until: up, within: "10s" } },
          ensure: module({}),
        });
        step("b", { on: nodes, after: [a], ensure: module({ name: "b" }) });
        step("mend", { on: nodes, onFail: [a], ensure: module({ name: "mend" }) });
      },
      { hosts: rising({ h1: 0, h2: Number.POSITIVE_INFINITY, h3: 0, h4: 0 }) },
    );
    expect(outcomes).toMatchObject({
      "a @ h1": "changed",
      "a between batches @ h1": "ok",
      "a @ h2": "changed",
      "a between batches @ h2": "failed",
      "a @ h3": "skipped",
      "a between batches @ h3": "skipped",
      "a @ h4": "skipped",
      "b @ h1": "skipped",
      "mend @ h1": "changed",
    });
    expect(
      of("node-finished", "a between batches").flatMap(({ error }) => error ?? []),
    ).toMatchObject([
      { code: "PB_GATE_TIMEOUT", host: "h2", message: expect.stringContaining("a is down") },
    ]);
    expect(end("a", "h4").why).toBe(
      'after "a", its gate did not hold on h2, so no further host was started',
    );
    expect(end("b", "h1").why).toBe('"a between batches" failed on h2');
    expect(recap.exitCode).toBe(1);
  });

  test("is asked after the last batch, too: what comes after the step waits for it", async () => {
    const { module } = scripted();
    const { outcomes } = await play(
      ({ step, nodes }) => {
        const a = step("a", {
          on: nodes,
          rolling: { batch: "100%", gate: { until: up, within: "10s" } },
          ensure: module({}),
        });
        step("b", { on: nodes, after: [each(a)], ensure: module({ name: "b" }) });
      },
      { hosts: rising({ h1: 2, h2: Number.POSITIVE_INFINITY }) },
    );
    expect(outcomes).toMatchObject({
      "a @ h2": "changed",
      "a between batches @ h2": "failed",
      "b @ h1": "changed",
      "b @ h2": "skipped",
    });
    const ends = Object.keys(outcomes);
    expect(ends.indexOf("a between batches @ h1")).toBeLessThan(ends.indexOf("b @ h1"));
  });

  test("holds for its time after a change; where nothing changed, holding once is enough", async () => {
    const clock = new VirtualClock();
    const hosts = ["h1", "h2", "h3"];
    const roll = () =>
      play(
        ({ step, nodes }) =>
          step("a", {
            on: nodes,
            rolling: { batch: 1, gate: { until: up, holdFor: "30s", within: "1m" } },
            ensure: setting({ value: "up" }),
          }),
        { hosts: played?.hosts ?? hosts, clock },
      );
    let played: Awaited<ReturnType<typeof play>> | undefined;
    played = await roll();
    expect(played.recap).toMatchObject({ changed: 3, ok: 3 });
    expect(played.recap.durationMs).toBeGreaterThanOrEqual(90_000);
    played = await roll();
    expect(played.recap).toMatchObject({ changed: 0, ok: 6 });
    expect(played.recap.durationMs).toBeLessThan(1000);
  });

  test("the next run does not go past a host on which it still does not hold, though nothing is left to change there", async () => {
    const { module } = scripted((host) => (host === "h1" ? "ok" : "change"));
    const { outcomes } = await play(
      ({ step, nodes }) =>
        step("a", {
          on: nodes,
          rolling: { batch: 1, gate: { until: up, within: "10s" } },
          ensure: module({}),
        }),
      { hosts: rising({ h1: Number.POSITIVE_INFINITY, h2: 0 }) },
    );
    expect(outcomes).toMatchObject({
      "a @ h1": "ok",
      "a between batches @ h1": "failed",
      "a @ h2": "skipped",
    });
  });

  test("is asked through another host where it says so", async () => {
    const { module } = scripted();
    const asked = new FakeHost();
    for (const name of ["h1", "h2"]) asked.files.put(`/etc/setting-${name}`, "up");
    const { outcomes, hosts } = await play(
      ({ step, nodes, host }) =>
        step("a", {
          on: nodes,
          rolling: {
            batch: 1,
            gate: {
              until: ({ name }) => settingIs({ name, value: "up" }),
              via: host("h2"),
              within: "10s",
            },
          },
          ensure: module({}),
        }),
      {
        hosts: { h1: new FakeHost(), h2: asked },
      },
    );
    expect(outcomes).toMatchObject({ "a between batches @ h1": "ok", "a @ h2": "changed" });
    expect(hosts["h1"]?.files.read("/etc/setting-h1", "root")).toBeUndefined();
  });

  test("is not asked where the step did not run", async () => {
    const { module } = scripted();
    const { outcomes, end, recap } = await play(
      ({ step, nodes }) => {
        const config = step("config", { on: nodes, ensure: setting({ name: "b", value: "" }) });
        step("a", {
          on: nodes,
          onChange: [config],
          rolling: { batch: 1, gate: { until: up, within: "10s" } },
          ensure: module({}),
        });
      },
      { hosts: rising({ h1: Number.POSITIVE_INFINITY, h2: 0 }) },
    );
    expect(outcomes).toMatchObject({
      "a @ h1": "skipped",
      "a between batches @ h1": "skipped",
      "a between batches @ h2": "skipped",
    });
    expect(end("a between batches", "h1").why).toBe('"a" did not run');
    expect(recap.exitCode).toBe(0);
  });

  test("is not asked on a host that failed, nor once the roll has stopped", async () => {
    const { module } = scripted((host) => (host === "h1" || host === "h3" ? "fail" : "change"));
    const { outcomes, end } = await play(
      ({ step, nodes }) =>
        step("a", {
          on: nodes,
          rolling: { batch: 2, maxFailed: 1, gate: { until: up, within: "10s" } },
          ensure: module({}),
        }),
      { hosts: rising({ h1: 0, h2: 0, h3: 0, h4: 0, h5: 0 }) },
    );
    expect(outcomes).toEqual({
      "a @ h1": "failed",
      "a between batches @ h1": "skipped",
      "a @ h2": "changed",
      "a between batches @ h2": "ok",
      "a @ h3": "failed",
      "a between batches @ h3": "skipped",
      "a @ h4": "changed",
      "a between batches @ h4": "skipped",
      "a @ h5": "skipped",
      "a between batches @ h5": "skipped",
    });
    expect(end("a between batches", "h4").why).toBe('"a" failed on h3');
  });

  test("comes with its step under --only, and is asked once under --check", async () => {
    const declare: Parameters<typeof play>[0] = ({ step, nodes }) => {
      step("a", {
        on: nodes,
        rolling: { batch: 1, gate: { until: up, within: "10s" } },
        ensure: setting({ value: "up" }),
      });
      step("b", { on: nodes, ensure: setting({ name: "b", value: "1" }) });
    };
    const checked = await play(declare, { only: ["a"], mode: "check" });
    expect(checked.outcomes).toEqual({
      "a @ h1": "would-change",
      "a @ h2": "would-change",
      "a between batches @ h1": "unknown",
      "a between batches @ h2": "unknown",
    });
    const applied = await play(declare, { only: ["a"], hosts: checked.hosts });
    expect(Object.keys(applied.outcomes)).toHaveLength(4);
    const again = await play(declare, { only: ["a"], hosts: checked.hosts, mode: "check" });
    expect(new Set(Object.values(again.outcomes))).toEqual(new Set(["ok"]));
    expect(again.recap.exitCode).toBe(0);
  });
});
