import { expect, test } from "vitest";
import { leftLines } from "#engine/report/left.ts";
import type { StopReason } from "#engine/run/stop.ts";
import { play, type Stage } from "../../../support/play.ts";
import { type Act, Promises, scripted } from "../../../support/scripted.ts";
import { settingIs } from "../../../support/settings.ts";
import { settled, VirtualClock } from "../../../support/virtual-clock.ts";

const closing: StopReason = {
  kind: "window-closed",
  opensAt: Date.UTC(2026, 0, 2, 22),
  opens: "Fri 2026-01-02 22:00 UTC",
};

/** Three steps on two hosts, the window closing while the first is at work on both. */
async function closedInTheMiddle(stage: Stage = {}) {
  const acts = new Promises<Act>();
  const { module, begun } = scripted((host, name) => (name === "a" ? acts.of(host) : "change"));
  const stop = new AbortController();
  const running = play(
    ({ step, gate, nodes }) => {
      const a = step("a", { on: nodes, ensure: module({ name: "a" }) });
      const b = step("b", { on: nodes, after: [a], ensure: module({ name: "b" }) });
      gate("g", { on: nodes.first, after: [b], until: settingIs({ value: "1" }), within: "1h" });
      step("c", { on: nodes.first, after: [b], ensure: module({ name: "c" }) });
    },
    { ...stage, stop: stop.signal, clock: new VirtualClock({ auto: false }) },
  );
  await settled();
  stop.abort(closing);
  acts.keep("h1", "change");
  acts.keep("h2", "change");
  return { ...(await running), begun: begun() };
}

test("when the window closes, nodes under way end and no other begins; exit 4, and what is left is told", async () => {
  const { recap, begun, end } = await closedInTheMiddle();
  expect(begun).toEqual(["a@h1", "a@h2"]);
  expect(end("b").why).toBe("the window closed");
  expect(recap).toMatchObject({ exitCode: 4, changed: 2, skipped: 4 });
  expect(recap.stopped).toEqual({
    why: "window-closed",
    opensAt: closing.opensAt,
    opens: closing.opens,
    left: {
      steps: [
        { step: "b", hosts: ["h1", "h2"] },
        { step: "g", hosts: ["h1"] },
        { step: "c", hosts: ["h1"] },
      ],
    },
  });
  expect(leftLines(recap)).toEqual([
    "left: 3 steps on 2 hosts (4 nodes)",
    "  b on h1, h2",
    "  g on h1",
    "  c on h1",
  ]);
});

test("what is left is as long as it took last time: side by side on hosts, one after another on one", async () => {
  const took: Record<string, number> = { "b@h1": 60_000, "b@h2": 90_000, "c@h1": 30_000 };
  const lastTook = (step: string, host: string) => took[`${step}@${host}`];
  const { recap } = await closedInTheMiddle({ lastTook });
  // c waits for b on both hosts; the gate was never measured.
  expect(recap.stopped?.left.lastMs).toBe(120_000);
  expect(leftLines(recap)[0]).toBe("left: 3 steps on 2 hosts (4 nodes), about 2m 00s last time");
});

test("batches are left one after another", async () => {
  const { module } = scripted();
  const stop = new AbortController();
  stop.abort(closing);
  const { recap } = await play(
    ({ step, nodes }) => step("a", { on: nodes, rolling: { batch: 2 }, ensure: module({}) }),
    { hosts: ["h1", "h2", "h3", "h4", "h5"], stop: stop.signal, lastTook: () => 10_000 },
  );
  expect(recap.stopped?.left.lastMs).toBe(30_000);
});

test("a window that closes over the last nodes leaves nothing, and the run is converged", async () => {
  const acts = new Promises<Act>();
  const { module } = scripted((host) => acts.of(host));
  const stop = new AbortController();
  const running = play(({ step, nodes }) => step("a", { on: nodes, ensure: module({}) }), {
    hosts: ["h1"],
    stop: stop.signal,
    clock: new VirtualClock({ auto: false }),
  });
  await settled();
  stop.abort(closing);
  acts.keep("h1", "change");
  const { recap } = await running;
  expect(recap).toMatchObject({ exitCode: 0, changed: 1, stopped: { left: { steps: [] } } });
  expect(leftLines(recap)).toEqual([]);
});

test("a step that failed before the window closed is a failure all the same", async () => {
  const { module } = scripted((host) => (host === "h1" ? "fail" : "change"));
  const stop = new AbortController();
  const { recap } = await play(
    ({ step, nodes }) => {
      const a = step("a", { on: nodes.first, ensure: module({ name: "a" }) });
      step("b", { on: nodes.rest, after: [], ensure: module({ name: "b" }) });
      step("c", { on: nodes.rest, after: [], ensure: module({ name: "c" }) });
      step("d", { on: nodes.rest, onFail: [a], ensure: module({ name: "d" }) });
    },
    {
      stop: stop.signal,
      hear: (event) => {
        if (event.type === "node-finished" && event.outcome === "failed") stop.abort(closing);
      },
    },
  );
  expect(recap.exitCode).toBe(1);
  expect(recap.stopped?.left.steps.map(({ step }) => step)).toContain("c");
});

test("a gate that waits when the window closes stops waiting at once", async () => {
  const stop = new AbortController();
  const running = play(
    ({ gate, nodes }) => gate("g", { on: nodes, until: settingIs({ value: "1" }), within: "9h" }),
    { hosts: ["h1"], stop: stop.signal, clock: new VirtualClock({ auto: false }) },
  );
  await settled();
  stop.abort(closing);
  const { end, recap } = await running;
  expect(end("g")).toMatchObject({ outcome: "skipped", why: "the window closed" });
  expect(recap.exitCode).toBe(4);
});
