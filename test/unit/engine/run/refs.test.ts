import { describe, expect, test } from "vitest";
import { combine, type Refable } from "#engine/dsl/ref.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { type Declare, fileOn, play } from "../../../support/play.ts";
import { scripted } from "../../../support/scripted.ts";
import { setting } from "../../../support/settings.ts";

const value = (given: Refable<string | string[]>, name = "b") => setting({ name, value: given });

describe("outputs reach the params of other steps", () => {
  test("of one host, of the same host, of all in order, and through maps", async () => {
    const { hosts } = await play(
      ({ step, nodes }) => {
        const one = step("one", { on: nodes.first, ensure: setting({ value: "first" }) });
        const many = step("many", {
          on: nodes,
          ensure: ({ name }) => setting({ name: "own", value: name }),
        });
        step("b", { on: nodes, ensure: value(one.out.value, "one") });
        step("c", { on: nodes, ensure: value(many.out.each.value, "each") });
        step("d", {
          on: nodes,
          ensure: value(
            many.out.all.value.map((all) => [...all]),
            "all",
          ),
        });
        step("e", {
          on: nodes,
          ensure: value(
            combine({ a: one.out.value, b: many.out.all.value }).map(
              ({ a, b }) => `${a}:${b.length}`,
            ),
            "both",
          ),
        });
      },
      { hosts: ["h1", "h2", "h3"] },
    );
    const on = (name: string) => fileOn(hosts["h2"]!, `/etc/setting-${name}`);
    expect([on("one"), on("each"), on("all"), on("both")]).toEqual([
      "first",
      "h2",
      "h1,h2,h3",
      "first:3",
    ]);
  });

  test("of a host on which the step was not wanted are left out of all, and skip who reads them", async () => {
    const { hosts, end } = await play(
      ({ step, nodes }) => {
        const some = step("some", {
          on: nodes,
          when: (_, { name }) => name !== "h2",
          ensure: ({ name }) => setting({ value: name }),
        });
        step("all", { on: nodes, ensure: value(some.out.all.value.map((all) => [...all])) });
        step("same", { on: nodes, ensure: value(some.out.each.value, "c") });
      },
      { hosts: ["h1", "h2", "h3"] },
    );
    expect(fileOn(hosts["h1"]!, "/etc/setting-b")).toBe("h1,h3");
    expect(end("same", "h2")).toMatchObject({ outcome: "skipped", why: '"some" did not run' });
    expect(end("same", "h3").outcome).toBe("changed");
  });

  test("decide whether a step runs", async () => {
    const { module } = scripted((_, name) => (name === "x" ? "ok" : "change"));
    const { outcomes } = await play(({ step, nodes }) => {
      const x = step("x", { on: nodes, ensure: module({ name: "x" }) });
      const isFirst = x.out.each.host.map((host) => host === "h1");
      step("y", { on: nodes, when: isFirst, ensure: module({ name: "y" }) });
    });
    expect(outcomes).toMatchObject({ "y @ h1": "changed", "y @ h2": "skipped" });
  });

  test("of a failed step are never read: who needs them is skipped", async () => {
    const { module } = scripted((host) => (host === "h2" ? "fail" : "ok"));
    const { end } = await play(({ step, nodes }) => {
      const a = step("a", { on: nodes, ensure: module({}) });
      step("b", { on: nodes, ensure: value(a.out.each.host) });
      step("c", { on: nodes, ensure: value(a.out.all.host.map(String), "c") });
    });
    expect(end("b", "h1").outcome).toBe("changed");
    expect(end("b", "h2")).toMatchObject({ outcome: "skipped", why: '"a" failed on h2' });
    expect(end("c", "h1")).toMatchObject({ outcome: "skipped", why: '"a" failed on h2' });
  });

  test("of the wrong type fail the step that reads them, naming the playbook's line", async () => {
    const { module } = scripted(() => "ok");
    const { end } = await play(({ step, nodes }) => {
      const a = step("a", { on: nodes, ensure: module({ input: 7 }) });
      step("b", { on: nodes, ensure: value(a.out.each.input as never) });
    });
    expect(end("b").error).toMatchObject({
      code: "PB_PARAMS_INVALID",
      message: expect.stringContaining("got 7"),
      step: "b",
      at: expect.stringMatching(/refs\.test\.ts:\d+$/),
    });
  });
});

describe("--limit", () => {
  const declare: Declare = ({ step, nodes }) => {
    const a = step("a", { on: nodes.first, ensure: setting({ value: "1" }) });
    step("b", { on: nodes, ensure: value(a.out.value) });
  };

  test("reads the output of a host outside and changes nothing there", async () => {
    const outside = new FakeHost();
    outside.files.put("/etc/setting-a", "1");
    const { outcomes, hosts } = await play(declare, {
      hosts: { h1: outside, h2: new FakeHost() },
      limit: ["h2"],
    });
    expect(outcomes).toEqual({ "a @ h1": "ok", "b @ h2": "changed" });
    expect(fileOn(hosts["h2"]!, "/etc/setting-b")).toBe("1");
  });

  test("skips what needs an output that only a change outside would give", async () => {
    const { outcomes, hosts, end, recap, of } = await play(declare, { limit: ["h2"] });
    expect(outcomes).toEqual({ "a @ h1": "failed", "b @ h2": "skipped" });
    expect(end("a").error).toMatchObject({ code: "PB_OUTSIDE_LIMIT", host: "h1" });
    expect(end("b").why).toBe('"a" failed on h1');
    expect(hosts["h1"]?.files.stat("/etc/setting-a")).toBeUndefined();
    expect(of("change")).toEqual([]);
    expect(recap.exitCode).toBe(1);
  });
});
