import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { secretFrom } from "#engine/dsl/ref.ts";
import { secret } from "#engine/dsl/secret.ts";
import { checkWritable, readPlan, unlock } from "#engine/plan-file/disk.ts";
import { readOrMakeKey } from "#engine/plan-file/key.ts";
import { planList } from "#engine/plan-file/words.ts";
import { hostsWith, planned } from "../../../support/planned.ts";
import type { Declare } from "../../../support/play.ts";
import { scratchFolder } from "../../../support/scratch.ts";
import { scripted } from "../../../support/scripted.ts";
import { password, setting } from "../../../support/settings.ts";

const PLANTED = "hunter2";

const withSecrets: Declare = ({ step, nodes }) => {
  const from = secretFrom.env("PLAN_SECRET");
  step("password", { on: nodes, ensure: password({ value: from }) });
  step("literal", { on: nodes, ensure: setting({ name: "b", value: "literal" }) });
  step("text", { on: nodes, ensure: setting({ value: from.map((value) => value.reveal()) }) });
};

const secrets = async () => {
  process.env["PLAN_SECRET"] = PLANTED;
  return planned(withSecrets, {
    hosts: hostsWith({ h1: { a: `the old ${PLANTED}` } }),
    schema: z.object({ token: secret(), size: z.string().default("small") }),
    params: { token: "tok-planted", size: "large" },
  });
};

describe("a plan file", () => {
  test("is read by people first: a sentence, then each step in words, digests after them", async () => {
    const { module } = scripted((_, name) => (name === "look" ? "fail-read" : "ok"));
    await using plan = await planned(
      ({ step, nodes }) => {
        const a = step("a", { on: nodes, ensure: setting({ value: "1" }) });
        step("b", { on: nodes, ensure: setting({ name: "b", value: a.out.each.value }) });
        step("look", { on: nodes.first, ensure: module({ name: "look" }) });
      },
      { hosts: hostsWith({ h1: {}, h2: { a: "1", b: "1" } }) },
    );
    const text = await plan.text();
    expect(text.split("\n")[1]).toBe(
      '  "plan": "test: 1 change on 1 host, 1 unknown before others have changed, 2 as wanted, 1 of which nothing can be told",',
    );
    expect(
      planList(await readPlan(plan.path))
        .split("\n")
        .slice(2),
    ).toEqual([
      "  a on h1: would-change",
      "    write /etc/setting-a",
      "  a on h2: ok",
      '  b on h1: unknown (waits for "a")',
      "  b on h2: ok",
      "  look on h1: cannot-tell (look exited 1: no)",
      "",
    ]);
  });

  test("is its user's alone", async () => {
    await using plan = await planned(() => undefined, { hosts: hostsWith({ h1: {} }) });
    expect((await stat(plan.path)).mode & 0o777).toBe(0o600);
    expect((await stat(plan.keyFile)).mode & 0o777).toBe(0o600);
  });

  test("holds no secret: not of a source, not of a param, not one that a host holds", async () => {
    await using plan = await secrets();
    const text = await plan.text();
    expect(text).not.toContain(PLANTED);
    expect(text).not.toContain("tok-planted");
    expect(JSON.parse(text)).toMatchObject({
      params: { token: { secret: expect.any(String) }, size: "large" },
      secrets: { $PLAN_SECRET: expect.any(String) },
    });
  });

  test("shows the same secret under other hashes each time it is made", async () => {
    await using one = await secrets();
    await using other = await secrets();
    const of = async ({ text }: typeof one) => JSON.parse(await text()).secrets["$PLAN_SECRET"];
    expect(await of(one)).not.toBe(await of(other));
  });

  test("that was edited is refused, and so is one of another key", async () => {
    await using plan = await planned(() => undefined, { hosts: hostsWith({ h1: {} }) });
    await using elsewhere = await scratchFolder();
    const file = await readPlan(plan.path);
    const otherKey = join(elsewhere.dir, "key");
    await readOrMakeKey(otherKey);
    await expect(unlock(plan.path, file, otherKey)).rejects.toMatchObject({
      code: "PB_PLAN_KEY",
      message: expect.stringContaining("was made with another one"),
    });
    await expect(
      unlock(plan.path, { ...file, plan: "nothing would change" }, plan.keyFile),
    ).rejects.toMatchObject({ message: expect.stringContaining("it was edited") });
  });

  test.each([
    ["{", "it is no JSON"],
    ['{"name": "run-playbook"}', "it is no plan file: plan: expected string"],
    ['{"version": 99}', "its layout is number 99"],
  ])("that is none (%s) is refused with the reason", async (text, why) => {
    await using folder = await scratchFolder();
    const path = join(folder.dir, "plan.json");
    await writeFile(path, text);
    await expect(readPlan(path)).rejects.toMatchObject({
      code: "PB_PLAN_UNREADABLE",
      message: expect.stringContaining(why),
    });
  });

  test("that cannot be written is found out before anything else", async () => {
    // `--plan-out DIR` failed only after the whole check.
    await expect(checkWritable("/tmp")).rejects.toMatchObject({ code: "PB_PLAN_NOT_WRITTEN" });
    await expect(checkWritable("/nowhere/at/all/plan.json")).rejects.toMatchObject({
      code: "PB_PLAN_NOT_WRITTEN",
    });
  });
});

describe("the key", () => {
  test("stays as it is once it is there", async () => {
    await using folder = await scratchFolder();
    const path = join(folder.dir, "a/b/plan.key");
    const keys = await Promise.all([readOrMakeKey(path), readOrMakeKey(path)]);
    expect(keys[0]).toEqual(keys[1]);
    expect(await readOrMakeKey(path)).toEqual(keys[0]);
  });

  test("that others may read, or that is none, is refused", async () => {
    await using folder = await scratchFolder();
    const path = join(folder.dir, "plan.key");
    await readOrMakeKey(path);
    await chmod(path, 0o644);
    await expect(readOrMakeKey(path)).rejects.toThrow("others may read it (mode 0644)");
    await chmod(path, 0o600);
    await writeFile(path, (await readFile(path, "utf8")).slice(5));
    await expect(readOrMakeKey(path)).rejects.toThrow("it holds no such key");
  });
});

describe("before any connection", () => {
  const hosts = hostsWith({ h1: {}, h2: {} });
  const a = (value: string, more: object = {}): Declare =>
    function declare({ step, nodes }) {
      step("a", { on: nodes, ensure: setting({ value }), ...more });
    };
  const schema = z.object({ size: z.string().default("small") });

  test("the same call has no difference, wherever in its file a step stands", async () => {
    await using plan = await planned(a("1"), { hosts, schema, params: { size: "large" } });
    const moved: Declare = ({ step, nodes }) =>
      step("a", { on: nodes, ensure: setting({ value: "1" }) });
    expect((await plan.now(moved)).differences).toEqual([]);
  });

  test.each<[string, Declare, object, string[]]>([
    ["a param of a step", a("2"), {}, ["step a: another than planned"]],
    [
      "an option of a step",
      a("1", { retries: { times: 2 } }),
      {},
      ["step a: another than planned"],
    ],
    [
      "another step",
      (play) => {
        a("1")(play);
        play.step("b", { on: play.nodes, ensure: setting({ value: "1" }) });
      },
      {},
      ["step b: not in the plan"],
    ],
    ["no step", () => undefined, {}, ["step a: in the plan only"]],
    ["the engine", a("1"), { engine: "2.0.0" }, ["run-playbook: 1.0.0 planned, 2.0.0 now"]],
    [
      "the limit",
      a("1"),
      { limit: ["h1"] },
      ["--limit: everything planned, h1 now", "step a: another than planned"],
    ],
    ["a param", a("1"), { params: { size: "huge" } }, ["param size: large planned, huge now"]],
    [
      "a host",
      a("1"),
      { hosts: { h1: hosts["h1"] } },
      [
        "step a: another than planned",
        "host h2: in the plan only",
        "the inventory's groups or settings: others than planned",
      ],
    ],
  ])("names what differs: %s", async (_, declare, changed, expected) => {
    await using plan = await planned(a("1"), { hosts, schema, params: { size: "large" } });
    expect((await plan.now(declare, changed)).differences).toEqual(expected);
  });

  test("names a secret that is another one, and tells nothing of it", async () => {
    await using plan = await secrets();
    process.env["PLAN_SECRET"] = "rotated";
    await expect(plan.apply()).rejects.toMatchObject({
      code: "PB_PLAN_STALE",
      context: { output: ["secret $PLAN_SECRET: another than planned"] },
    });
  });
});
