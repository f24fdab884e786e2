import { describe, expect, test } from "vitest";
import { FakeHost } from "#engine/host/fake/host.ts";
import { play } from "../../../support/play.ts";
import { scripted } from "../../../support/scripted.ts";
import { setting, settingIs } from "../../../support/settings.ts";

const check = { mode: "check", hosts: ["h1"] } as const;

describe("--check", () => {
  test("shows every change and makes none; exit 3 says that changes are pending", async () => {
    const { outcomes, of, hosts, recap } = await play(
      ({ step, nodes }) => step("a", { on: nodes, ensure: setting({ value: "1" }) }),
      check,
    );
    expect(outcomes).toEqual({ "a @ h1": "would-change" });
    expect(of("change")[0]?.change.diff?.after).toBe("1");
    expect(hosts["h1"]?.files.stat("/etc/setting-a")).toBeUndefined();
    expect(hosts["h1"]?.ran.filter(({ argv }) => argv[0] !== "sh")).toEqual([]);
    expect(recap).toMatchObject({ wouldChange: 1, changed: 0, exitCode: 3 });
  });

  test("on a converged host is ok, exit 0", async () => {
    const host = new FakeHost();
    host.files.put("/etc/setting-a", "1");
    const { recap, outcomes } = await play(
      ({ step, nodes }) => step("a", { on: nodes, ensure: setting({ value: "1" }) }),
      { mode: "check", hosts: { h1: host } },
    );
    expect(outcomes).toEqual({ "a @ h1": "ok" });
    expect(recap.exitCode).toBe(0);
  });

  test("what needs an output that may still change is unknown, and names what it waits for", async () => {
    const { end, recap } = await play(({ step, nodes }) => {
      const a = step("a", { on: nodes, ensure: setting({ value: "1" }) });
      const b = step("b", {
        on: nodes,
        ensure: setting({ name: "b", value: a.out.all.value.map(String) }),
      });
      step("c", { on: nodes, ensure: setting({ name: "c", value: b.out.all.value.map(String) }) });
    }, check);
    expect(end("b")).toMatchObject({ outcome: "unknown", why: 'waits for "a"' });
    expect(end("c")).toMatchObject({ outcome: "unknown", why: 'waits for "a"' });
    expect(recap).toMatchObject({ wouldChange: 1, unknown: 2, exitCode: 3 });
  });

  test("what a host says that is as wanted is used, though something before it is pending", async () => {
    const as = new FakeHost();
    as.files.put("/etc/setting-b", "1");
    const { outcomes } = await play(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, ensure: setting({ value: "1" }) });
        const b = step("b", {
          on: nodes,
          after: [a],
          ensure: setting({ name: "b", value: "1" }),
        });
        step("c", {
          on: nodes,
          ensure: setting({ name: "c", value: b.out.all.value.map(String) }),
        });
      },
      { mode: "check", hosts: { h1: as } },
    );
    expect(outcomes).toEqual({
      "a @ h1": "would-change",
      "b @ h1": "ok",
      "c @ h1": "would-change",
    });
  });

  test("a read that fails is unknown where something before it is pending, and cannot be told otherwise", async () => {
    const { module } = scripted((_, name) => (name === "install" ? "change" : "fail-read"));
    const { end, recap } = await play(({ step, nodes }) => {
      const install = step("install", { on: nodes, ensure: module({ name: "install" }) });
      const use = step("use", { on: nodes, after: [install], ensure: module({ name: "use" }) });
      step("later", { on: nodes, after: [use], ensure: module({ name: "later" }) });
      step("apart", { on: nodes, ensure: module({ name: "apart" }) });
    }, check);
    expect(end("use")).toMatchObject({ outcome: "unknown", why: 'waits for "install"' });
    expect(end("later")).toMatchObject({ outcome: "unknown", why: 'waits for "install"' });
    expect(end("apart")).toMatchObject({
      outcome: "cannot-tell",
      error: { code: "PB_COMMAND_FAILED" },
    });
    expect(recap).toMatchObject({ failed: 1, exitCode: 1 });
  });

  test("a handler would run where what sets it off would change, and not otherwise", async () => {
    const { module } = scripted((_, name) => (name === "source" ? "change" : "ok"));
    const { end } = await play(({ step, nodes }) => {
      const source = step("source", { on: nodes, ensure: module({ name: "source" }) });
      const still = step("still", { on: nodes, ensure: module({ name: "still" }) });
      step("restart", { on: nodes, onChange: [source], ensure: module({ name: "restart" }) });
      step("other", { on: nodes, onChange: [still], ensure: module({ name: "other" }) });
      step("rescue", { on: nodes, onFail: [source], ensure: module({ name: "rescue" }) });
    }, check);
    expect(end("restart")).toMatchObject({
      outcome: "would-change",
      why: 'runs as "source" changes',
    });
    expect(end("other").outcome).toBe("skipped");
    expect(end("rescue").outcome).toBe("skipped");
  });

  test("a gate is asked once: it holds, waits for a change, or cannot be told", async () => {
    const host = new FakeHost();
    host.files.put("/etc/setting-a", "1");
    const { end, recap } = await play(
      ({ step, gate, nodes }) => {
        gate("holds", { on: nodes, until: settingIs({ value: "1" }), within: "1h" });
        const b = step("b", { on: nodes, ensure: setting({ name: "b", value: "2" }) });
        gate("waits", {
          on: nodes,
          after: [b],
          until: settingIs({ name: "b", value: "2" }),
          within: "1h",
        });
        gate("closed", { on: nodes, until: settingIs({ value: "3" }), within: "1h" });
      },
      { mode: "check", hosts: { h1: host } },
    );
    expect(end("holds").outcome).toBe("ok");
    expect(end("waits")).toMatchObject({ outcome: "unknown", why: 'waits for "b"' });
    expect(end("closed")).toMatchObject({
      outcome: "cannot-tell",
      error: { code: "PB_GATE_CLOSED", message: 'Gate "closed" does not hold on h1: a is 1.' },
    });
    expect(recap).toMatchObject({ exitCode: 1, durationMs: 0 });
  });

  test("looks at every host of a rolling step at once", async () => {
    const { module } = scripted(() => "change");
    const { recap } = await play(
      ({ step, nodes }) => step("a", { on: nodes, rolling: { batch: 1 }, ensure: module({}) }),
      { mode: "check", hosts: ["h1", "h2", "h3"] },
    );
    expect(recap.wouldChange).toBe(3);
  });

  test("wrong params that came by a ref fail, pending or not", async () => {
    const host = new FakeHost();
    host.files.put("/etc/setting-a", "1");
    const { end } = await play(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, ensure: setting({ value: "1" }) });
        step("b", {
          on: nodes,
          ensure: setting({ value: a.out.all.value.map(() => 7 as never) }),
        });
      },
      { mode: "check", hosts: { h1: host } },
    );
    expect(end("b")).toMatchObject({ outcome: "failed", error: { code: "PB_PARAMS_INVALID" } });
  });
});
