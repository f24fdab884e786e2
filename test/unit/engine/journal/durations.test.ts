import { mkdir, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { lastTookBefore } from "#engine/journal/durations.ts";
import { runFolder } from "#engine/journal/folder.ts";
import type { Entry } from "#engine/journal/format.ts";
import { toLine } from "#engine/journal/read.ts";
import { begun } from "../../../support/begun.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const ended = (step: string, ms: number, outcome: "ok" | "changed" | "failed" | "skipped") =>
  ({ type: "ended", at: 1, step, host: "h1", outcome, changes: 0, ms }) satisfies Entry;

async function runsOf(all: Readonly<Record<string, readonly Entry[]>>) {
  const scratch = await scratchFolder();
  for (const [run, entries] of Object.entries(all)) {
    const folder = runFolder(scratch.dir, run);
    await mkdir(folder.path);
    await writeFile(folder.journal, entries.map(toLine).join(""));
  }
  return scratch;
}

test("a node took as long as in the newest run of its playbook in which it came to its goal", async () => {
  await using runs = await runsOf({
    a: [begun("a"), ended("x", 1, "changed"), ended("y", 2, "ok"), ended("z", 3, "failed")],
    b: [begun("b"), ended("x", 10, "ok"), ended("y", 20, "skipped")],
    c: [{ ...begun("c"), playbook: "another" }, ended("x", 100, "ok")],
    d: [],
    e: [begun("e"), ended("x", 1000, "ok")],
  });
  await writeFile(runFolder(runs.dir, "d").journal, "no JSON\n");
  const took = await lastTookBefore(runs.dir, { run: "e", playbook: "test" });
  expect(["x", "y", "z"].map((step) => took(step, "h1"))).toEqual([10, 2, undefined]);
  expect(took("x", "h2")).toBeUndefined();
});

test("no more than ten runs of a playbook are read for it", async () => {
  const newer = Array.from({ length: 10 }, (_, at) => [`b${at}`, [begun(`b${at}`)]] as const);
  const oldest = [begun("a"), ended("x", 1, "changed")];
  await using runs = await runsOf({ a: oldest, ...Object.fromEntries(newer) });
  expect((await lastTookBefore(runs.dir, { run: "", playbook: "test" }))("x", "h1")).toBe(
    undefined,
  );
  await using fewer = await runsOf({ a: oldest, ...Object.fromEntries(newer.slice(1)) });
  expect((await lastTookBefore(fewer.dir, { run: "", playbook: "test" }))("x", "h1")).toBe(1);
});
