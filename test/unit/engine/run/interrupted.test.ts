import { describe, expect, test } from "vitest";
import { play } from "../../../support/play.ts";
import { type Act, Promises, scripted } from "../../../support/scripted.ts";
import { settingIs } from "../../../support/settings.ts";
import { settled, VirtualClock } from "../../../support/virtual-clock.ts";

const stage = () => {
  const stop = new AbortController();
  const cut = new AbortController();
  const signals = { stop: stop.signal, cut: cut.signal };
  return { stop, cut, options: { ...signals, clock: new VirtualClock({ auto: false }) } };
};

describe("the first Ctrl-C", () => {
  test("lets running nodes end and starts none; exit 130", async () => {
    const acts = new Promises<Act>();
    const { module, begun } = scripted((host) => acts.of(host));
    const { stop, options } = stage();
    const running = play(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, ensure: module({}) });
        step("b", { on: nodes, after: [a], ensure: module({ name: "b" }) });
      },
      { ...options, forks: 1 },
    );
    await settled();
    stop.abort();
    acts.keep("h1", "change");
    const { recap, outcomes, end } = await running;
    expect(begun()).toEqual(["step@h1"]);
    expect(outcomes).toMatchObject({
      "a @ h1": "changed",
      "a @ h2": "skipped",
      "b @ h1": "skipped",
    });
    expect(end("a", "h2").why).toBe("the run was stopped");
    expect(recap).toMatchObject({ exitCode: 130, changed: 1, skipped: 3 });
  });

  test("ends a waiting gate, and a pause before the next attempt", async () => {
    const { module } = scripted(() => "fail");
    const { stop, options } = stage();
    const running = play(
      ({ step, gate, nodes }) => {
        gate("g", { on: nodes, until: settingIs({ value: "1" }), within: "1h" });
        step("a", {
          on: nodes,
          timeout: "2h",
          retries: { times: 9, delay: "1h" },
          ensure: module({}),
        });
      },
      { ...options, hosts: ["h1"] },
    );
    await settled();
    stop.abort();
    const { outcomes, end } = await running;
    expect(outcomes).toEqual({ "g @ h1": "skipped", "a @ h1": "failed" });
    expect(end("a").error?.code).toBe("PB_COMMAND_FAILED");
  });

  test("before anything began touches nothing", async () => {
    const { stop, options } = stage();
    stop.abort();
    const { module, begun } = scripted();
    const { recap, of } = await play(
      ({ step, nodes }) => step("a", { on: nodes, ensure: module({}) }),
      options,
    );
    expect(begun()).toEqual([]);
    expect(of("host-connected")).toEqual([]);
    expect(recap).toMatchObject({ skipped: 2, exitCode: 130 });
  });
});

test("the second Ctrl-C cuts off what runs, and says what state it left", async () => {
  const { module } = scripted(() => new Promise<Act>(() => undefined));
  const { stop, cut, options } = stage();
  const running = play(({ step, nodes }) => step("a", { on: nodes, ensure: module({}) }), {
    ...options,
    hosts: ["h1"],
  });
  await settled();
  stop.abort();
  cut.abort();
  const { end, recap } = await running;
  expect(end("a")).toMatchObject({
    outcome: "failed",
    error: { code: "PB_STEP_CUT", state: "nothing was changed on h1" },
  });
  expect(recap.exitCode).toBe(130);
});
