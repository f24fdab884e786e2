import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { identify } from "#engine/host/process-identity.ts";
import { makeRunFolder, runFolder } from "#engine/journal/folder.ts";
import type { Entry } from "#engine/journal/format.ts";
import { toLine } from "#engine/journal/read.ts";
import { claim, findRun, knownRun, lastUnfinished } from "#engine/journal/runs.ts";
import { begun } from "../../../support/begun.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const unread = (error: Error) => expect.fail(error.message);
const over = (exitCode: number): Entry => ({ type: "over", at: 2, exitCode, ms: 1, counts: {} });

async function runsOf(all: Readonly<Record<string, readonly Entry[]>>) {
  const scratch = await scratchFolder();
  for (const [run, entries] of Object.entries(all)) {
    const folder = runFolder(scratch.dir, run);
    await mkdir(folder.path);
    await writeFile(folder.journal, entries.map(toLine).join(""));
  }
  return scratch;
}

test("a run is found by its name or the beginning of it", async () => {
  await using runs = await runsOf({
    "2026-11-26-220159-aaaa": [begun("2026-11-26-220159-aaaa")],
    "2026-11-26-220159-aaab": [begun("2026-11-26-220159-aaab")],
    "2026-11-27-0000-cccc": [begun("2026-11-27-0000-cccc")],
  });
  expect((await findRun(runs.dir, "2026-11-27")).run).toBe("2026-11-27-0000-cccc");
  expect((await findRun(runs.dir, "2026-11-26-220159-aaaa")).run).toBe("2026-11-26-220159-aaaa");
  await expect(findRun(runs.dir, "2026-11-26")).rejects.toMatchObject({
    code: "PB_RUN_AMBIGUOUS",
    message: expect.stringContaining("aaab, 2026-11-26-220159-aaaa"),
  });
  for (const name of ["2027", "", "../x"])
    await expect(findRun(runs.dir, name)).rejects.toMatchObject({ code: "PB_RUN_UNKNOWN" });
});

test("the last one is the newest that is unfinished and that no other goes on with", async () => {
  await using runs = await runsOf({
    a: [begun("a"), over(1)],
    b: [begun("b"), over(130)],
    c: [{ ...begun("c"), resumes: "b" }],
    d: [begun("d"), over(0)],
    e: [],
  });
  await claim(runs.dir, "b", "c");
  expect((await lastUnfinished(runs.dir, unread)).run).toBe("c");
  await claim(runs.dir, "c", "d");
  expect((await lastUnfinished(runs.dir, unread)).run).toBe("a");
  await rm(join(runs.dir, "a"), { recursive: true });
  await expect(lastUnfinished(runs.dir, unread)).rejects.toMatchObject({
    code: "PB_RUN_NONE_LEFT",
  });
});

test("of many that resume a run in the same moment one gets it; one that never began gives it back", async () => {
  const others = Array.from({ length: 20 }, (_, at) => `c${at}`);
  const names = ["a", "b", ...others];
  await using runs = await runsOf(Object.fromEntries(names.map((name) => [name, [begun(name)]])));
  await claim(runs.dir, "a", "never begun");
  const all = await Promise.allSettled(others.map((name) => claim(runs.dir, "b", name)));
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await claim(runs.dir, "a", "b");
  await expect(claim(runs.dir, "a", "c0")).rejects.toMatchObject({ code: "PB_RUN_RESUMED" });
  expect((await knownRun(runs.dir, "a"))?.resumedAs).toBe("b");
});

test("whether a run is still on is told by its process, not by a number that came round again", async () => {
  const child = spawn("sleep", ["60"]);
  try {
    await once(child, "spawn");
    const self = await identify(child.pid ?? 0);
    expect(self).toBeDefined();
    const anotherSince = { pid: self!.pid, started: `${self!.started.split("/")[0]}/1` };
    await using runs = await runsOf({
      alive: [begun("alive", self)],
      reused: [begun("reused", anotherSince)],
      foreign: [begun("foreign", { machine: "another" })],
      renamed: [begun("renamed", { ...anotherSince, machine: "its old name" })],
      ended: [begun("ended", self), over(4)],
    });
    const standing = async (run: string) => (await knownRun(runs.dir, run))?.standing;
    expect(await standing("alive")).toBe("running");
    expect(await standing("reused")).toBe("killed");
    expect(await standing("foreign")).toBe("elsewhere");
    expect(await standing("renamed")).toBe("killed");
    expect(await standing("ended")).toBe("window closed");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await standing("alive")).toBe("killed");
  } finally {
    child.kill("SIGKILL");
  }
});

test("only the user may look into a run's folder, and a folder that cannot be made is an error of ours", async () => {
  await using scratch = await scratchFolder();
  const [folder, key] = await makeRunFolder(join(scratch.dir, "deep/runs"), "a");
  expect(key).toHaveLength(32);
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  expect(await modeOf(folder.path)).toBe("700");
  expect(await modeOf(folder.journal)).toBe("600");
  expect(await modeOf(folder.key)).toBe("600");
  await expect(makeRunFolder(join(scratch.dir, "deep/runs"), "a")).rejects.toMatchObject({
    code: "PB_JOURNAL_UNWRITABLE",
  });
  await scratch.write({ file: "" });
  await expect(makeRunFolder(join(scratch.dir, "file"), "a")).rejects.toMatchObject({
    code: "PB_JOURNAL_UNWRITABLE",
  });
});
