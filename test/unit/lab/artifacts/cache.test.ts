import { readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheHome, obtainEntry } from "#lab/artifacts/cache.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const KEY = { name: "thing", version: "v1", arch: "amd64" };

const maker = () => {
  const made = { count: 0 };
  const make = async (dir: string) => {
    made.count += 1;
    await writeFile(join(dir, "program"), `content ${made.count}`);
    return "a test";
  };
  return { made, make };
};

const at = (home: string) => ({ home, signal: new AbortController().signal });

test("the cache folder follows XDG_CACHE_HOME", () => {
  expect(cacheHome({ XDG_CACHE_HOME: "/var/cache/me" })).toBe("/var/cache/me/run-playbook");
  expect(cacheHome({})).toMatch(/\/\.cache\/run-playbook$/);
});

test("what is in the cache is not made again", async () => {
  await using scratch = await scratchFolder();
  const { made, make } = maker();
  const first = await obtainEntry(at(scratch.dir), KEY, make);
  const second = await obtainEntry(at(scratch.dir), KEY, make);
  expect([first.cached, second.cached, made.count]).toEqual([false, true, 1]);
  expect(second).toMatchObject({ source: "a test", dir: first.dir, files: first.files });
  const sums = await readFile(join(first.dir, "SHA256SUMS"), "utf8");
  expect(sums).toBe(`${first.files["program"]?.sha256}  program\n`);
});

test("two at once make it once", async () => {
  await using scratch = await scratchFolder();
  const { made, make } = maker();
  const both = await Promise.all([
    obtainEntry(at(scratch.dir), KEY, make),
    obtainEntry(at(scratch.dir), KEY, make),
  ]);
  expect(made.count).toBe(1);
  expect(both.map(({ cached }) => cached).sort()).toEqual([false, true]);
});

test.each([
  ["changed", (file: string) => writeFile(file, "CONTENT 1")],
  ["gone", (file: string) => rm(file)],
])("a file that is %s has the entry made again", async (_, harm) => {
  await using scratch = await scratchFolder();
  const { make } = maker();
  const { dir } = await obtainEntry(at(scratch.dir), KEY, make);
  await harm(join(dir, "program"));
  const again = await obtainEntry(at(scratch.dir), KEY, make);
  expect(again.cached).toBe(false);
  expect(await readFile(join(dir, "program"), "utf8")).toBe("content 2");
});

test("another time alone does not count as a change", async () => {
  await using scratch = await scratchFolder();
  const { make } = maker();
  const { dir } = await obtainEntry(at(scratch.dir), KEY, make);
  await utimes(join(dir, "program"), 1, 1);
  expect((await obtainEntry(at(scratch.dir), KEY, make)).cached).toBe(true);
});

test("a record that was cut off has the entry made again", async () => {
  await using scratch = await scratchFolder();
  const { make } = maker();
  const { dir } = await obtainEntry(at(scratch.dir), KEY, make);
  await writeFile(join(dir, "entry.json"), '{"source": "a te');
  expect((await obtainEntry(at(scratch.dir), KEY, make)).cached).toBe(false);
});

test("a failure leaves nothing behind", async () => {
  await using scratch = await scratchFolder();
  const failing = async (dir: string): Promise<string> => {
    await writeFile(join(dir, "half"), "");
    throw new Error("no more");
  };
  await expect(obtainEntry(at(scratch.dir), KEY, failing)).rejects.toThrow("no more");
  expect(await readdir(join(scratch.dir, "artifacts", "thing", "v1"))).toEqual([]);
});

test("what a killed run left half made is cleared away", async () => {
  await using scratch = await scratchFolder();
  await scratch.write({ "artifacts/thing/v1/amd64.partial-0badcafe/half": "" });
  const { make } = maker();
  await obtainEntry(at(scratch.dir), KEY, make);
  expect(await readdir(join(scratch.dir, "artifacts", "thing", "v1"))).toEqual(["amd64"]);
});

test("a full disk is told as one, with the place", async () => {
  await using scratch = await scratchFolder();
  const full = () => Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
  await expect(obtainEntry(at(scratch.dir), KEY, full)).rejects.toMatchObject({
    code: "PB_CACHE_UNWRITABLE",
    message: expect.stringContaining(join(scratch.dir, "artifacts", "thing")),
  });
});
