import { expect, test } from "vitest";
import type { CliOptions } from "#engine/cli/options.ts";
import { buildProgram } from "#engine/cli/program.ts";

async function parse(...argv: string[]): Promise<[string | undefined, CliOptions]> {
  let seen: [string | undefined, CliOptions] | undefined;
  const program = buildProgram("1.2.3", {
    run: async (playbook, options) => {
      seen = [playbook, options];
    },
    runs: async () => undefined,
    show: async () => undefined,
    resume: async () => undefined,
    completion: async () => undefined,
    unlock: async () => undefined,
    lab: undefined,
  });
  await program.parseAsync(argv, { from: "user" });
  if (seen === undefined) throw new Error("the action did not run");
  return seen;
}

test("a playbook alone needs no option", async () => {
  expect(await parse("bootstrap.ts")).toEqual(["bootstrap.ts", { verbose: 0 }]);
});

test("lists are given with commas, again, or both", async () => {
  const [, options] = await parse(
    "x.ts",
    "--limit",
    "cp1, w1",
    "--limit",
    "workers",
    "--only",
    "first snapshot",
  );
  expect(options).toMatchObject({ limit: ["cp1", "w1", "workers"], only: ["first snapshot"] });
});

test("--param keeps commas, for values are JSON too", async () => {
  const [, options] = await parse("x.ts", "--param", "a=[1,2]", "--param", "b=c=d");
  expect(options.param).toEqual(["a=[1,2]", "b=c=d"]);
});

test("--lab goes with and without a name", async () => {
  expect((await parse("x.ts", "--lab", "--yes"))[1]).toMatchObject({ lab: true, yes: true });
  expect((await parse("x.ts", "--lab", "dev"))[1]).toMatchObject({ lab: "dev" });
});

test("-v counts", async () => {
  expect((await parse("x.ts", "-vv"))[1].verbose).toBe(2);
  expect((await parse("x.ts", "-v", "--verbose"))[1].verbose).toBe(2);
});

test("colour is on, off, or not said", async () => {
  expect((await parse("x.ts", "--color"))[1].color).toBe(true);
  expect((await parse("x.ts", "--no-color"))[1].color).toBe(false);
  expect((await parse("x.ts"))[1].color).toBeUndefined();
});

test.each([
  [["x.ts", "--chek"], "--check"],
  [["x.ts", "--output", "xml"], "tree, lines, json"],
  [["x.ts", "--forks", "0"], "number from 1 on"],
  [["x.ts", "--forks", "1.5"], "number from 1 on"],
  [["x.ts", "y.ts"], "too many arguments"],
  [["x.ts", "--inventory"], "argument missing"],
])("%j is refused", async (argv, why) => {
  await expect(parse(...argv)).rejects.toThrow(why);
});
