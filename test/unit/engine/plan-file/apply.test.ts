import { describe, expect, test } from "vitest";
import { z } from "zod";
import { guarded, run, upload, writeFile } from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import { sh } from "#engine/host/command.ts";
import { hostsWith, planned } from "../../../support/planned.ts";
import type { Declare } from "../../../support/play.ts";
import { fileOn } from "../../../support/play.ts";
import { scripted } from "../../../support/scripted.ts";
import { setting } from "../../../support/settings.ts";

const bare = () => hostsWith({ h1: {}, h2: {} });
const a1: Declare = ({ step, nodes }) => {
  step("a", { on: nodes, ensure: setting({ value: "1" }) });
};

/** A module that writes two files, the second through a command that fails as often as it is told to. */
const twoFiles = (failing: { times: number }) =>
  defineModule({
    name: "two-files",
    summary: "Two files.",
    params: z.strictObject({}),
    async read(host) {
      const [first, second] = await Promise.all([
        host.readFile("/etc/first"),
        host.readFile("/etc/second"),
      ]);
      return { first, second };
    },
    *diff({ first, second }) {
      if (first !== "1") yield writeFile("/etc/first", "1", { was: first });
      if (second !== "2") {
        yield failing.times-- > 0 ? run(sh`false`, "get ready") : run(sh`true`, "get ready");
        yield writeFile("/etc/second", "2", { was: second });
      }
    },
  });

describe("a plan that is applied", () => {
  test("makes what it announces, and applied again finds all as wanted", async () => {
    const hosts = bare();
    await using plan = await planned(a1, { hosts });
    expect(plan.checked.recap.exitCode).toBe(3);
    expect(fileOn(hosts["h1"]!, "/etc/setting-a")).toBeUndefined();
    expect((await plan.apply()).recap).toMatchObject({ changed: 2, exitCode: 0 });
    expect(fileOn(hosts["h1"]!, "/etc/setting-a")).toBe("1");
    expect((await plan.apply()).recap).toMatchObject({ ok: 2, changed: 0, exitCode: 0 });
  });

  test("stops a host that drifted since, untouched, with the difference; others go on", async () => {
    const hosts = bare();
    await using plan = await planned(a1, { hosts });
    hosts["h1"]!.files.put("/etc/setting-a", "by hand");
    const { outcomes, end, recap } = await plan.apply();
    expect(outcomes).toEqual({ "a @ h1": "failed", "a @ h2": "changed" });
    expect(end("a", "h1").error).toMatchObject({
      code: "PB_PLAN_DRIFTED",
      output: [
        "planned: write /etc/setting-a",
        "found:   write /etc/setting-a (what it overwrites is not what the plan saw)",
      ],
      state: "nothing was changed on h1 by this step",
    });
    expect(fileOn(hosts["h1"]!, "/etc/setting-a")).toBe("by hand");
    expect(recap.exitCode).toBe(1);
  });

  test("stops a host that was as wanted and is not any more", async () => {
    const hosts = hostsWith({ h1: { a: "1" }, h2: {} });
    await using plan = await planned(a1, { hosts });
    hosts["h1"]!.files.put("/etc/setting-a", "by hand");
    const { end } = await plan.apply();
    expect(end("a", "h1").error?.message).toContain("was planned to change nothing");
    expect(end("a", "h2").outcome).toBe("changed");
  });

  test("a host that somebody brought to the wanted state is as wanted, not drifted", async () => {
    const hosts = bare();
    await using plan = await planned(a1, { hosts });
    hosts["h1"]!.files.put("/etc/setting-a", "1");
    expect((await plan.apply()).outcomes).toEqual({ "a @ h1": "ok", "a @ h2": "changed" });
  });

  test("a drifted host is seen before the first change, though an earlier step of the plan changes that host", async () => {
    const hosts = hostsWith({ h1: {} });
    const declare: Declare = ({ step, nodes }) => {
      const a = step("a", { on: nodes, ensure: setting({ value: "1" }) });
      step("b", { on: nodes, after: [a], ensure: setting({ name: "b", value: "2" }) });
    };
    await using plan = await planned(declare, { hosts });
    hosts["h1"]!.files.put("/etc/setting-b", "by hand");
    const { outcomes, end } = await plan.apply();
    expect(outcomes).toEqual({ "a @ h1": "changed", "b @ h1": "failed" });
    expect(end("b").error?.code).toBe("PB_PLAN_DRIFTED");
  });

  test("what an earlier step of the plan itself put there may be overwritten as announced", async () => {
    const hosts = hostsWith({ h1: {} });
    const install = defineModule({
      name: "install",
      summary: "A package that brings a configuration.",
      params: z.strictObject({}),
      read: async (host) => ({ there: await host.readFile("/etc/it") }),
      *diff({ there }) {
        if (there !== undefined) return;
        yield writeFile("/etc/it", "it");
        yield writeFile("/etc/setting-a", "the package's");
      },
    });
    await using plan = await planned(
      ({ step, nodes }) => {
        const installed = step("install", { on: nodes, ensure: install({}) });
        step("configure", { on: nodes, after: [installed], ensure: setting({ value: "1" }) });
      },
      { hosts },
    );
    expect((await plan.apply()).recap).toMatchObject({ changed: 2, exitCode: 0 });
    expect(fileOn(hosts["h1"]!, "/etc/setting-a")).toBe("1");
  });

  test("under --check says whether it still holds, and changes nothing", async () => {
    const hosts = bare();
    await using plan = await planned(a1, { hosts });
    expect((await plan.apply({ mode: "check" })).recap).toMatchObject({
      wouldChange: 2,
      exitCode: 3,
    });
    hosts["h1"]!.files.put("/etc/setting-a", "by hand");
    const { outcomes, recap } = await plan.apply({ mode: "check" });
    expect(outcomes).toEqual({ "a @ h1": "failed", "a @ h2": "would-change" });
    expect(recap.exitCode).toBe(1);
    expect(fileOn(hosts["h2"]!, "/etc/setting-a")).toBeUndefined();
  });
});

describe("what the plan could not see", () => {
  const chain: Declare = ({ step, nodes }) => {
    const a = step("a", { on: nodes.first, ensure: setting({ value: "1" }) });
    step("b", { on: nodes.first, ensure: setting({ name: "b", value: a.out.value }) });
  };

  test("is changed because of the step that it waits for", async () => {
    const hosts = bare();
    await using plan = await planned(chain, { hosts });
    expect(await plan.node("b")).toMatchObject({ outcome: "unknown", waitsFor: "a" });
    expect((await plan.apply()).outcomes).toEqual({ "a @ h1": "changed", "b @ h1": "changed" });
  });

  test("goes on after a failure, too, where the step that it waits for was done before", async () => {
    const hosts = bare();
    await using plan = await planned(chain, { hosts });
    hosts["h1"]!.files.put("/etc/setting-a", "1");
    expect((await plan.apply()).outcomes).toEqual({ "a @ h1": "ok", "b @ h1": "changed" });
  });

  test("is not changed where the step that it waits for did nothing that was announced", async () => {
    const acts = { look: "fail-read" as "fail-read" | "ok" };
    const { module } = scripted((_, name) => (name === "look" ? acts.look : "ok"));
    const hosts = hostsWith({ h1: {} });
    const declare: Declare = ({ step, nodes }) => {
      const look = step("look", { on: nodes.first, ensure: module({ name: "look" }) });
      step("use", { on: nodes.first, ensure: setting({ value: look.out.host.map(() => "1") }) });
    };
    await using plan = await planned(declare, { hosts });
    expect(await plan.node("look")).toMatchObject({ outcome: "cannot-tell" });
    acts.look = "ok";
    const { end } = await plan.apply();
    expect(end("look").outcome).toBe("ok");
    expect(end("use").error?.message).toContain(
      'was planned to change something only after "look" did',
    );
  });

  test("a follower runs as announced when what sets it off changes", async () => {
    const hosts = hostsWith({ h1: {} });
    const restart = defineModule({
      name: "restart",
      summary: "Newer than its configuration.",
      params: z.strictObject({}),
      async read(host) {
        const [conf, live] = await Promise.all([
          host.readFile("/etc/setting-a"),
          host.readFile("/run/live"),
        ]);
        return { conf, live };
      },
      *diff({ conf, live }) {
        if (conf !== live) yield writeFile("/run/live", conf ?? "", { say: "restart" });
      },
    });
    await using plan = await planned(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, ensure: setting({ value: "1" }) });
        step("restart", { on: nodes, onChange: [a], ensure: restart({}) });
      },
      { hosts },
    );
    expect(await plan.node("restart")).toMatchObject({
      outcome: "would-change",
      why: 'runs as "a" changes',
      changes: [],
    });
    expect((await plan.apply()).recap).toMatchObject({ changed: 2, exitCode: 0 });
    expect(fileOn(hosts["h1"]!, "/run/live")).toBe("1");
  });

  test("a rescue is made when what it is there for fails", async () => {
    const { module } = scripted(() => "fail");
    const hosts = hostsWith({ h1: {} });
    await using plan = await planned(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, ensure: module({}) });
        step("rescue", { on: nodes, onFail: [a], ensure: setting({ value: "rescued" }) });
      },
      { hosts },
    );
    expect((await plan.apply()).outcomes).toEqual({ "a @ h1": "failed", "rescue @ h1": "changed" });
  });

  test("what was skipped when the plan was made is not changed", async () => {
    const hosts = hostsWith({ h1: {} });
    const wants = { it: false };
    await using plan = await planned(
      ({ step, nodes }) =>
        step("a", { on: nodes, when: () => wants.it, ensure: setting({ value: "1" }) }),
      { hosts },
    );
    wants.it = true;
    expect((await plan.apply()).end("a").error?.message).toContain("was planned to be skipped");
  });
});

describe("a module", () => {
  /** Announces a file that differs each time it is asked. */
  const unsteady = (say: () => string) =>
    defineModule({
      name: "unsteady",
      summary: "Depends on more than it reads.",
      params: z.strictObject({}),
      read: async (host) => ({ now: await host.readFile("/etc/x") }),
      *diff({ now }) {
        if (now === undefined) yield writeFile("/etc/x", say());
      },
    });

  test("whose diff announces something else for the same reading is told as the one at fault", async () => {
    const hosts = hostsWith({ h1: {} });
    let asked = 0;
    const module = unsteady(() => `asked ${asked++} times`);
    await using plan = await planned(
      ({ step, nodes }) => step("a", { on: nodes, retries: { times: 3 }, ensure: module({}) }),
      { hosts },
    );
    const { end, of } = await plan.apply();
    expect(end("a").error).toMatchObject({
      code: "PB_MODULE_IMPURE",
      message: expect.stringContaining("The module unsteady announced something else"),
      output: [
        "planned: write /etc/x",
        "found:   write /etc/x (planned in the same words, but it does something else)",
      ],
    });
    expect(of("node-waiting")).toEqual([]);
    expect(fileOn(hosts["h1"]!, "/etc/x")).toBeUndefined();
  });

  test("is not at fault where what it is given changed: then the step that gives it is named", async () => {
    const { module } = scripted(() => "ok");
    const gives = { it: "1" };
    const source = defineModule({
      name: "source",
      summary: "Gives something.",
      params: z.strictObject({}),
      outputs: z.object({ it: z.string() }),
      read: async () => ({ it: gives.it }),
      *diff() {},
    });
    const hosts = hostsWith({ h1: {} });
    await using plan = await planned(
      ({ step, nodes }) => {
        step("apart", { on: nodes, ensure: module({}) });
        const from = step("source", { on: nodes.first, ensure: source({}) });
        step("a", { on: nodes, ensure: setting({ value: from.out.it }) });
      },
      { hosts },
    );
    gives.it = "2";
    const { end } = await plan.apply();
    expect(end("a").error).toMatchObject({
      code: "PB_PLAN_DRIFTED",
      hint: "Its params are others than planned: look at what source gives, and make a new plan.",
    });
  });

  test("that sends another file than the plan saw is stopped", async () => {
    const content = { hash: "one" };
    const module = defineModule({
      name: "sender",
      summary: "Sends a file.",
      params: z.strictObject({}),
      read: async (host) => ({ there: (await host.stat("/etc/x")) !== undefined }),
      *diff({ there }) {
        if (!there) yield upload("/srv/file", "/etc/x");
      },
    });
    const hosts = hostsWith({ h1: {} });
    await using plan = await planned(
      ({ step, nodes }) => step("a", { on: nodes, ensure: module({}) }),
      { hosts, hashOf: async () => content.hash },
    );
    content.hash = "another";
    const { error } = (await plan.apply()).end("a");
    expect(error?.code).toBe("PB_PLAN_DRIFTED");
    expect(error?.output?.at(-1)).toContain("the file that it sends is another one");
  });

  test("with a guarded change announces its files, and what they overwrite", async () => {
    const module = defineModule({
      name: "net",
      summary: "A file that could cut the connection.",
      params: z.strictObject({}),
      read: async (host) => ({ was: await host.readFile("/etc/net") }),
      *diff({ was }) {
        if (was === "new") return;
        yield guarded({
          files: [writeFile("/etc/net", "new", { was })],
          apply: sh`true`,
          verify: [],
          within: "10s",
          say: "other addresses",
        });
      },
    });
    const hosts = hostsWith({ h1: {} });
    await using plan = await planned(
      ({ step, nodes }) => step("a", { on: nodes, ensure: module({}) }),
      { hosts },
    );
    expect((await plan.node("a")).changes?.[0]?.say).toBe("other addresses; write /etc/net");
    hosts["h1"]!.files.put("/etc/net", "by hand");
    expect((await plan.apply()).end("a").error?.code).toBe("PB_PLAN_DRIFTED");
  });
});

describe("after a failure", () => {
  test("a second attempt makes what the first one left", async () => {
    const failing = { times: 0 };
    const hosts = hostsWith({ h1: {} });
    const module = twoFiles(failing);
    await using plan = await planned(
      ({ step, nodes }) => step("a", { on: nodes, retries: { times: 1 }, ensure: module({}) }),
      { hosts },
    );
    let calls = 0;
    hosts["h1"]!.programs({ true: async () => ({ code: calls++ === 0 ? 1 : 0 }) });
    const { end } = await plan.apply();
    expect(end("a")).toMatchObject({ outcome: "changed", changes: 4 });
    expect(fileOn(hosts["h1"]!, "/etc/second")).toBe("2");
  });

  test("the same plan goes on with a host that was half done", async () => {
    const hosts = hostsWith({ h1: {} });
    const module = twoFiles({ times: 0 });
    await using plan = await planned(
      ({ step, nodes }) => step("a", { on: nodes, ensure: module({}) }),
      { hosts },
    );
    const host = hosts["h1"]!;
    host.programs({ true: async () => ({ code: 1 }) });
    expect((await plan.apply()).end("a").error?.code).toBe("PB_COMMAND_FAILED");
    host.programs({ true: async () => ({ code: 0 }) });
    expect((await plan.apply()).end("a")).toMatchObject({ outcome: "changed", changes: 2 });
  });

  test("a host that could not be reached for the plan is not changed by it", async () => {
    const hosts = bare();
    hosts["h1"]!.unreachable = new PlaybookError("PB_CONNECT_UNRESOLVED", ["h1", "not now"]);
    await using plan = await planned(a1, { hosts });
    expect(await plan.node("a")).toMatchObject({ outcome: "unreachable" });
    hosts["h1"]!.unreachable = undefined;
    const { end, outcomes } = await plan.apply();
    expect(outcomes).toEqual({ "a @ h1": "failed", "a @ h2": "changed" });
    expect(end("a", "h1").error?.message).toContain("nothing could be told");
  });
});
