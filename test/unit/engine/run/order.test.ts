import { describe, expect, test } from "vitest";
import { each } from "#engine/dsl/step.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import type { RunEvent } from "#engine/report/event.ts";
import { play } from "../../../support/play.ts";
import { type Act, Promises, scripted } from "../../../support/scripted.ts";
import { setting, settingIs } from "../../../support/settings.ts";
import { settled, VirtualClock } from "../../../support/virtual-clock.ts";

const byHand = () => ({ clock: new VirtualClock({ auto: false }) });

describe("edges", () => {
  test("after waits for every host of a step, each only for the same host", async () => {
    const acts = new Promises<Act>();
    const { module, log } = scripted((host, name) => (name === "first" ? acts.of(host) : "change"));
    const running = play(({ step, nodes }) => {
      const first = step("first", { on: nodes, ensure: module({ name: "first" }) });
      step("all", { on: nodes, after: [first], ensure: module({ name: "all" }) });
      step("same", { on: nodes, after: [each(first)], ensure: module({ name: "same" }) });
    }, byHand());
    await settled();
    acts.keep("h1", "change");
    await settled();
    expect(log).toEqual([
      "begin first@h1",
      "begin first@h2",
      "end first@h1",
      "begin same@h1",
      "end same@h1",
    ]);
    acts.keep("h2", "change");
    const { recap } = await running;
    expect(recap).toMatchObject({ changed: 6, exitCode: 0 });
  });

  test("onChange runs only where something changed, onFail only where something failed", async () => {
    const { module } = scripted((host, name) =>
      name !== "source" ? "change" : host === "h1" ? "change" : "ok",
    );
    const { outcomes, end } = await play(({ step, nodes }) => {
      const source = step("source", { on: nodes, ensure: module({ name: "source" }) });
      step("any", { on: nodes, onChange: [source], ensure: module({ name: "any" }) });
      step("same", { on: nodes, onChange: [each(source)], ensure: module({ name: "same" }) });
      step("rescue", { on: nodes, onFail: [source], ensure: module({ name: "rescue" }) });
    });
    expect(outcomes).toMatchObject({
      "any @ h1": "changed",
      "any @ h2": "changed",
      "same @ h1": "changed",
      "same @ h2": "skipped",
      "rescue @ h1": "skipped",
    });
    expect(end("same", "h2").why).toBe('"source" changed nothing');
    expect(end("rescue").why).toBe('"source" did not fail');
  });

  test("a failure runs onFail, skips what depends on it and nothing else", async () => {
    const { module } = scripted((_, name) => (name === "broken" ? "fail" : "change"));
    const { outcomes, recap, of } = await play(
      ({ step, nodes }) => {
        const broken = step("broken", { on: nodes, ensure: module({ name: "broken" }) });
        const next = step("next", { on: nodes, after: [broken], ensure: module({ name: "next" }) });
        step("last", { on: nodes, after: [next], ensure: module({ name: "last" }) });
        step("rescue", { on: nodes, onFail: [broken], ensure: module({ name: "rescue" }) });
        step("apart", { on: nodes, ensure: module({ name: "apart" }) });
      },
      { hosts: ["h1"] },
    );
    expect(outcomes).toEqual({
      "broken @ h1": "failed",
      "next @ h1": "skipped",
      "last @ h1": "skipped",
      "rescue @ h1": "changed",
      "apart @ h1": "changed",
    });
    expect(recap).toMatchObject({ failed: 1, skipped: 2, changed: 2, exitCode: 1 });
    const ends = of("node-finished");
    expect(ends.filter(({ error }) => error !== undefined).map(({ step }) => step)).toEqual([
      "broken",
    ]);
    expect(ends.find(({ step }) => step === "last")?.why).toBe('"broken" failed on h1');
  });

  test("a condition that does not hold skips one step, and what comes after goes on", async () => {
    const { module } = scripted();
    const { outcomes, end } = await play(({ step, nodes }) => {
      const first = step("first", {
        on: nodes,
        when: ({ os }, { name }) => os.id === "debian" && name === "h2",
        ensure: module({ name: "first" }),
      });
      step("next", { on: nodes, after: [first], ensure: module({ name: "next" }) });
    });
    expect(outcomes).toMatchObject({
      "first @ h1": "skipped",
      "first @ h2": "changed",
      "next @ h1": "changed",
    });
    expect(end("first", "h1").why).toContain("when");
  });
});

describe("hosts", () => {
  test("one node at a time on a host, the first of the plan first, while other hosts go on", async () => {
    const acts = new Promises<Act>();
    const { module } = scripted((host, name) => acts.of(`${name}@${host}`));
    const log: string[] = [];
    const hear = (event: RunEvent) => {
      if (event.type === "node-started") log.push(`begin ${event.step}@${event.host}`);
      if (event.type === "node-finished") log.push(`end ${event.step}@${event.host}`);
    };
    const running = play(
      ({ step, nodes }) => {
        step("a", { on: nodes, ensure: module({ name: "a" }) });
        step("b", { on: nodes, ensure: module({ name: "b" }) });
      },
      { ...byHand(), hear },
    );
    await settled();
    expect(log).toEqual(["begin a@h1", "begin a@h2"]);
    acts.keep("a@h2", "ok");
    await settled();
    expect(log.slice(2)).toEqual(["end a@h2", "begin b@h2"]);
    for (const name of ["a@h1", "b@h1", "b@h2"]) acts.keep(name, "ok");
    expect((await running).recap.ok).toBe(4);
  });

  test("no more hosts at once than forks", async () => {
    const { module, flight, begun } = scripted(async (): Promise<Act> => {
      await settled();
      return "ok";
    });
    await play(({ step, nodes }) => step("a", { on: nodes, ensure: module({}) }), {
      hosts: Array.from({ length: 20 }, (_, index) => `h${index}`),
      forks: 3,
      ...byHand(),
    });
    expect(flight.most).toBe(3);
    expect(begun()).toEqual(Array.from({ length: 20 }, (_, index) => `step@h${index}`));
  });

  test("a waiting gate keeps no other step off its host", async () => {
    const { outcomes } = await play(
      ({ step, gate, nodes }) => {
        gate("set", { on: nodes, until: settingIs({ value: "1" }), within: "1m" });
        step("setter", { on: nodes, ensure: setting({ value: "1" }) });
      },
      { hosts: ["h1"], forks: 1 },
    );
    expect(outcomes).toEqual({ "setter @ h1": "changed", "set @ h1": "ok" });
  });

  test("an unreachable one is told of once; the others go on, and what needs all of them does not", async () => {
    const dead = new FakeHost();
    dead.unreachable = new PlaybookError("PB_CONNECT_REFUSED", ["[2001:db8::1]:22"]);
    const { module } = scripted();
    const { outcomes, of, recap, end } = await play(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, ensure: module({ name: "a" }) });
        step("b", { on: nodes, after: [each(a)], ensure: module({ name: "b" }) });
        step("c", { on: nodes, ensure: module({ name: "c" }) });
        step("d", { on: nodes, after: [a], ensure: module({ name: "d" }) });
      },
      { hosts: { h1: dead, h2: new FakeHost() } },
    );
    expect(outcomes).toMatchObject({
      "a @ h1": "unreachable",
      "b @ h1": "skipped",
      "c @ h1": "unreachable",
      "b @ h2": "changed",
      "c @ h2": "changed",
      "d @ h2": "skipped",
    });
    expect(of("host-unreachable").map(({ error }) => error.code)).toEqual(["PB_CONNECT_REFUSED"]);
    expect(end("d", "h2").why).toBe("h1 is unreachable");
    expect(recap).toMatchObject({ unreachable: 2, exitCode: 1 });
    expect(recap.hosts["h1"]).toMatchObject({ unreachable: 2, skipped: 2 });
  });

  test("one that has nothing to do is not connected to; under via only the other one is", async () => {
    const { module } = scripted();
    const { of, end } = await play(
      ({ step, nodes, host }) =>
        step("a", { on: nodes.rest, via: host("h1"), ensure: module({ name: "a" }) }),
      { hosts: ["h1", "h2", "h3"] },
    );
    expect(of("host-connected").map(({ host }) => host)).toEqual(["h1"]);
    expect(of("node-started").map(({ host }) => host)).toEqual(["h2", "h3"]);
    expect(end("a", "h3").outcome).toBe("ok");
  });

  test("the control machine is one of them", async () => {
    const { module, begun } = scripted();
    await play(({ step, control }) => step("a", { on: control, ensure: module({}) }));
    expect(begun()).toEqual(["step@localhost"]);
  });

  test("a connection that was lost is made anew for the next node", async () => {
    const host = new FakeHost();
    const { module } = scripted();
    const { outcomes, end } = await play(
      ({ step, nodes }) => {
        step("cut", { on: nodes, ensure: setting({ value: "1" }) });
        step("next", { on: nodes, ensure: module({ name: "next" }) });
      },
      {
        hosts: { h1: host },
        hear: (event) => {
          if (event.type === "change" && event.step === "cut") host.loseAfter = 0;
          if (event.type === "node-finished") host.loseAfter = Number.POSITIVE_INFINITY;
        },
      },
    );
    expect(outcomes).toEqual({ "cut @ h1": "failed", "next @ h1": "changed" });
    expect(end("cut").error).toMatchObject({
      code: "PB_CONNECTION_LOST",
      state: "a change was under way and is in doubt; running again reads it first",
    });
  });
});

test("the same playbook gives the same plan and, with the same outcomes, the same events", async () => {
  const once = async () => {
    const { module } = scripted((host) => (host === "h3" ? "fail" : "change"));
    const { events } = await play(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, ensure: module({ name: "a" }) });
        step("b", { on: nodes, after: [each(a)], ensure: module({ name: "b" }) });
        step("c", { on: nodes, after: [a], ensure: module({ name: "c" }) });
      },
      { hosts: ["h1", "h2", "h3", "h4"], forks: 2 },
    );
    return events;
  };
  expect(await once()).toEqual(await once());
});

const manyHosts = { timeout: 60_000 };
test(
  "two thousand hosts and five steps are ten thousand nodes, each ended once",
  manyHosts,
  async () => {
    const { module } = scripted(() => "ok");
    const hosts = Array.from({ length: 2000 }, (_, index) => `h${index}`);
    const { recap, of } = await play(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, ensure: module({ name: "a" }) });
        const b = step("b", { on: nodes, after: [each(a)], ensure: module({ name: "b" }) });
        const c = step("c", { on: nodes, after: [b], ensure: module({ name: "c" }) });
        step("d", { on: nodes, after: [c], ensure: module({ name: "d" }) });
        step("e", { on: nodes, after: [a, b, each(c)], ensure: module({ name: "e" }) });
      },
      { hosts },
    );
    expect(recap).toMatchObject({ ok: 10_000, changed: 0, exitCode: 0 });
    expect(of("node-started")).toHaveLength(10_000);
    expect(of("host-connected")).toHaveLength(2000);
  },
);
