import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { z } from "zod";
import { main } from "#engine/cli/main.ts";
import { namedByPlan, planFileRun } from "#engine/cli/plan-file.ts";
import { playbook } from "#engine/dsl/playbook.ts";
import { secret } from "#engine/dsl/secret.ts";
import { plan } from "#engine/run/run.ts";
import { hostsWith, planned } from "../../../support/planned.ts";
import { inventoryOf } from "../../../support/play.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const hosts = hostsWith({ h1: {} });
const schema = z.object({ size: z.string().optional(), token: secret().optional() });

test("the file names what the command line leaves open; what is given stands", async () => {
  await using plan = await planned(() => undefined, {
    hosts,
    schema,
    params: { size: "large" },
    limit: ["h1"],
  });
  const apply = { verbose: 0, applyPlan: plan.path };
  expect(await namedByPlan(undefined, apply, "/")).toMatchObject({
    given: "test.ts",
    options: { limit: ["h1"], param: ["size=large"] },
  });
  expect(
    await namedByPlan("other.ts", { ...apply, limit: ["h2"], param: ["size=small"] }, "/"),
  ).toMatchObject({ given: "other.ts", options: { limit: ["h2"], param: ["size=small"] } });
});

test("a param that is a secret is asked for again, as the file does not hold it", async () => {
  await using plan = await planned(() => undefined, {
    hosts,
    schema,
    params: { token: "hush-hush" },
  });
  const apply = { verbose: 0, applyPlan: plan.path };
  await expect(namedByPlan(undefined, apply, "/")).rejects.toThrow(
    "The plan holds only a keyed hash of --param token: give it again.",
  );
  const again = await namedByPlan(undefined, { ...apply, param: ["token=hush-hush"] }, "/");
  expect(again.options.param).toEqual(["token=hush-hush"]);
});

test("making a plan is a check", async () => {
  const { options } = await namedByPlan("x.ts", { verbose: 0, planOut: "p.json" }, "/");
  expect(options.check).toBe(true);
});

test("a plan cannot be made and applied at once, nor applied where it is not", async () => {
  const said = async (...argv: string[]) => {
    await using folder = await scratchFolder();
    const stderr = new PassThrough();
    const io = {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      stderr,
      env: {},
      cwd: folder.dir,
    };
    const code = await main(argv, io);
    return `${code} ${String(stderr.read())}`;
  };
  expect(await said("--plan-out", "a", "--apply-plan", "b")).toMatch(/^2 PB_USAGE\n/);
  expect(await said("--apply-plan", "none.json")).toMatch(/^2 PB_PLAN_UNREADABLE\n.*no such file/);
});

test("a plan is not written when its check is interrupted", async () => {
  await using folder = await scratchFolder();
  const mine = playbook("mine", { groups: [] }, () => undefined);
  const inventory = inventoryOf(["h1"]);
  const nowhere = new PassThrough();
  const { options, finish } = await planFileRun(
    {
      word: "mine.ts",
      playbook: mine,
      inventory,
      options: { verbose: 0, planOut: "plan.json" },
      ask: async () => undefined,
      io: {
        stdin: nowhere,
        stdout: nowhere,
        stderr: nowhere,
        env: { XDG_STATE_HOME: join(folder.dir, "state") },
        cwd: folder.dir,
      },
    },
    plan(mine, inventory),
  );
  const none = {
    ok: 0,
    changed: 0,
    failed: 0,
    skipped: 0,
    unreachable: 0,
    wouldChange: 0,
    unknown: 0,
  };
  const recap = { type: "recap", at: 0, durationMs: 0, hosts: {}, ...none } as const;
  await options.witnesses[0]?.begins?.(plan(mine, inventory), new Map());
  expect(await finish({ ...recap, exitCode: 130 })).toContain("interrupted");
  await expect(readFile(join(folder.dir, "plan.json"))).rejects.toThrow("no such file");
  expect(await finish({ ...recap, exitCode: 0 })).toContain("The plan is in plan.json");
  expect(await readFile(join(folder.dir, "plan.json"), "utf8")).toContain("nothing would change");
});
