import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { runFolder } from "#engine/journal/folder.ts";
import type { Entry } from "#engine/journal/format.ts";
import { pruneRuns } from "#engine/journal/prune.ts";
import { toLine } from "#engine/journal/read.ts";
import { claim } from "#engine/journal/runs.ts";
import { begun } from "../../../support/begun.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const DAY = 24 * 3_600_000;
const now = Date.UTC(2026, 10, 26);
const over = (exitCode: number): Entry => ({ type: "over", at: 2, exitCode, ms: 1, counts: {} });

/** Two hundred converged runs, and older ones: how each ended, and how many days ago it was last heard of. */
async function runsWith(older: Readonly<Record<string, readonly [readonly Entry[], number]>>) {
  const scratch = await scratchFolder();
  const newest = Array.from({ length: 200 }, (_, index) => `n${String(index).padStart(3, "0")}`);
  const all = [
    ...newest.map((run) => [run, [over(0)], 0] as const),
    ...Object.entries(older).map(([run, [entries, days]]) => [run, entries, days] as const),
  ];
  for (const [run, entries, days] of all) {
    const { path, journal } = runFolder(scratch.dir, run);
    await mkdir(path);
    await writeFile(journal, [begun(run), ...entries].map(toLine).join(""));
    await utimes(journal, (now - days * DAY) / 1000, (now - days * DAY) / 1000);
  }
  const kept = async () => (await readdir(scratch.dir)).filter((run) => !run.startsWith("n"));
  return { ...scratch, kept };
}

test("of more than two hundred runs the oldest go, but none that is unfinished and younger than thirty days", async () => {
  await using runs = await runsWith({
    a: [[over(0)], 1],
    b: [[over(1)], 29],
    c: [[over(1)], 31],
    d: [[], 29],
    e: [[over(130)], 3],
    f: [[over(4)], 3],
  });
  await claim(runs.dir, "e", "f");
  await pruneRuns(runs.dir, now);
  expect(await runs.kept()).toEqual(["b", "d", "f"]);
  expect(await readdir(runs.dir)).toHaveLength(203);
});

test("a damaged journal goes by its age, and hinders nothing", async () => {
  await using runs = await runsWith({ a: [[over(0)], 1], b: [[], 2], c: [[], 40] });
  for (const [run, days] of [
    ["b", 2],
    ["c", 40],
  ] as const) {
    const { journal } = runFolder(runs.dir, run);
    await writeFile(journal, "no JSON\n");
    await utimes(journal, (now - days * DAY) / 1000, (now - days * DAY) / 1000);
  }
  await pruneRuns(runs.dir, now);
  expect(await runs.kept()).toEqual(["b"]);
});

test("runs that begin in the same moment prune side by side", async () => {
  const old = Array.from({ length: 60 }, (_, index) => [`a${index}`, [[over(0)], 1]] as const);
  await using runs = await runsWith(Object.fromEntries(old));
  await claim(runs.dir, "a0", "a1");
  // Each finds some of what the one before it is about to take away.
  const inTurn = Array.from({ length: 8 }, async (_, turn) => {
    await wait(turn);
    await pruneRuns(runs.dir, now);
  });
  await Promise.all(inTurn);
  expect(await runs.kept()).toEqual([]);
});
