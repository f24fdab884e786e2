import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineProbe } from "#engine/dsl/module.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { play } from "../../../support/play.ts";
import { type Act, scripted } from "../../../support/scripted.ts";
import { VirtualClock } from "../../../support/virtual-clock.ts";

const one = { hosts: ["h1"] };
const never = new Promise<Act>(() => undefined);

describe("retries", () => {
  test("try again after a pause, and say why", async () => {
    let left = 2;
    const { module } = scripted(() => (left-- > 0 ? "fail" : "change"));
    const { end, of } = await play(
      ({ step, nodes }) =>
        step("a", { on: nodes, retries: { times: 3, delay: "10s" }, ensure: module({}) }),
      one,
    );
    expect(end("a")).toMatchObject({ outcome: "changed", ms: 20_000 });
    expect(of("node-waiting").map(({ saw }) => saw)).toEqual([
      "attempt 2 of 4 comes next: false exited 1",
      "attempt 3 of 4 comes next: false exited 1",
    ]);
  });

  test("end with the last failure when there are none left", async () => {
    const { module, begun } = scripted(() => "fail");
    const { end } = await play(
      ({ step, nodes }) => step("a", { on: nodes, retries: { times: 2 }, ensure: module({}) }),
      one,
    );
    expect(end("a")).toMatchObject({ outcome: "failed", error: { code: "PB_COMMAND_FAILED" } });
    expect(begun()).toHaveLength(3);
  });

  test("count what an earlier attempt changed, so that onChange still runs", async () => {
    const acts: Act[] = ["fail", "ok"];
    const { module } = scripted((_, name) => (name === "a" ? (acts.shift() ?? "ok") : "ok"));
    const { outcomes } = await play(({ step, nodes }) => {
      const a = step("a", { on: nodes, retries: { times: 1 }, ensure: module({ name: "a" }) });
      step("b", { on: nodes, onChange: [a], ensure: module({ name: "b" }) });
    }, one);
    expect(outcomes).toEqual({ "a @ h1": "changed", "b @ h1": "ok" });
  });

  test("are not spent on a module's bug", async () => {
    const { module, begun } = scripted(() => "bug");
    const { end } = await play(
      ({ step, nodes }) => step("a", { on: nodes, retries: { times: 5 }, ensure: module({}) }),
      one,
    );
    expect(begun()).toHaveLength(1);
    expect(end("a").error).toMatchObject({
      code: "PB_BUG",
      message: "The module scripted broke in read(): RangeError: index out of range",
      step: "a",
      host: "h1",
      output: expect.arrayContaining([expect.stringContaining("scripted.ts")]),
    });
  });

  test("wait for a host that comes back", async () => {
    const host = new FakeHost();
    host.unreachable = new PlaybookError("PB_AUTH_FAILED", ["root", "h1", ["no key"]]);
    const { module } = scripted();
    const { outcomes } = await play(
      ({ step, nodes }) => step("a", { on: nodes, retries: { times: 1 }, ensure: module({}) }),
      {
        hosts: { h1: host },
        hear: ({ type }) => {
          if (type === "node-waiting") host.unreachable = undefined;
        },
      },
    );
    expect(outcomes).toEqual({ "a @ h1": "changed" });
  });
});

describe("a step's timeout", () => {
  test("ends a node that hangs, and frees its host", async () => {
    const { module } = scripted((_, name) => (name === "hangs" ? never : "change"));
    const { outcomes, end } = await play(({ step, nodes }) => {
      step("hangs", { on: nodes, timeout: "90s", ensure: module({ name: "hangs" }) });
      step("next", { on: nodes, ensure: module({ name: "next" }) });
    }, one);
    expect(outcomes).toEqual({ "hangs @ h1": "failed", "next @ h1": "changed" });
    expect(end("hangs")).toMatchObject({
      ms: 90_000,
      error: { code: "PB_STEP_TIMEOUT", state: "nothing was changed on h1" },
    });
  });

  test("covers every attempt together, and tells the last failure", async () => {
    const { module } = scripted(() => "fail");
    const { end } = await play(
      ({ step, nodes }) =>
        step("a", {
          on: nodes,
          timeout: "25s",
          retries: { times: 100, delay: "10s" },
          ensure: module({}),
        }),
      one,
    );
    expect(end("a")).toMatchObject({
      ms: 25_000,
      error: { code: "PB_STEP_TIMEOUT", causes: ["false exited 1"] },
    });
    expect(end("a").error?.state).toContain("in doubt");
  });
});

describe("a gate", () => {
  /** Holds as the test says, by seconds since the start. */
  const holding = (holds: (second: number) => boolean | PlaybookError) => {
    const clock = new VirtualClock();
    const start = clock.now();
    const probe = defineProbe({
      name: "probe",
      summary: "Holds as the test says.",
      params: z.strictObject({}),
      async check() {
        const second = (clock.now() - start) / 1000;
        const answer = holds(second);
        if (typeof answer === "object") throw answer;
        return { holds: answer, saw: answer ? "it is there" : "it is not there" };
      },
    });
    return { clock, until: probe({}), ...one };
  };

  test("is asked until it holds, and tells once what it sees meanwhile", async () => {
    const { until, ...stage } = holding((second) => second >= 7);
    const { end, of } = await play(
      ({ gate, nodes }) => gate("g", { on: nodes, until, within: "1m", every: "2s" }),
      stage,
    );
    expect(end("g")).toMatchObject({ outcome: "ok", ms: 8000 });
    expect(of("node-waiting").map(({ saw }) => saw)).toEqual(["it is not there"]);
  });

  test("must hold without a break for as long as it says", async () => {
    const { until, ...stage } = holding((second) => second !== 4);
    const { end } = await play(
      ({ gate, nodes }) => gate("g", { on: nodes, until, holdFor: "10s", within: "1m" }),
      stage,
    );
    expect(end("g")).toMatchObject({ outcome: "ok", ms: 15_000 });
  });

  test("fails at its deadline with what was last seen, and what waits for it is skipped", async () => {
    const { until, ...stage } = holding(() => false);
    const { module } = scripted();
    const { end } = await play(({ gate, step, nodes }) => {
      const g = gate("g", { on: nodes, until, within: "30s" });
      step("next", { on: nodes, after: [g], ensure: module({}) });
    }, stage);
    expect(end("g")).toMatchObject({
      outcome: "failed",
      ms: 30_000,
      error: {
        code: "PB_GATE_TIMEOUT",
        message: 'Gate "g" did not hold on h1 in time; last seen: it is not there.',
      },
    });
    expect(end("next")).toMatchObject({ outcome: "skipped", why: '"g" failed on h1' });
  });

  test("takes a look that fails, and a host that is away, as something seen", async () => {
    const lost = new PlaybookError("PB_COMMAND_FAILED", ["curl", 7, "refused"]);
    const { until, ...stage } = holding((second) => (second < 3 ? lost : true));
    const { end, of } = await play(
      ({ gate, nodes }) => gate("g", { on: nodes, until, within: "1m" }),
      stage,
    );
    expect(end("g").outcome).toBe("ok");
    expect(of("node-waiting")[0]?.saw).toBe("curl exited 7: refused");

    const away = new FakeHost();
    away.unreachable = new PlaybookError("PB_AUTH_FAILED", ["root", "h1", ["no key"]]);
    const back = await play(
      ({ gate, nodes }) => gate("g", { on: nodes, until: holding(() => true).until, within: "1m" }),
      {
        hosts: { h1: away },
        hear: ({ type }) => {
          if (type === "node-waiting") away.unreachable = undefined;
        },
      },
    );
    expect(back.outcomes).toEqual({ "g @ h1": "ok" });
  });
});
