import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pc from "picocolors";
import { expect, test } from "vitest";
import { diffLines } from "#engine/report/diff.ts";
import { folder } from "../../../support/program.ts";

const colors = pc.createColors(false);

test.each([
  ["a changed line", "a\nb\nc\n", "a\nx\nc\n"],
  ["a first content", undefined, "a\nb\n"],
  ["all removed", "a\nb\n", ""],
  ["no newline at the end", "a\nb", "a\nb\nc"],
  [
    "two places",
    `${"x\n".repeat(20)}a\n${"y\n".repeat(20)}b\n`,
    `${"x\n".repeat(20)}A\n${"y\n".repeat(20)}B\n`,
  ],
  ["a line put first", "b\nc\n", "a\nb\nc\n"],
])("git makes the new file of the old one: %s", async (_, before, after) => {
  await using here = await folder(before === undefined ? {} : { file: before });
  const patch = diffLines({ path: "file", before, after }, colors).join("\n");
  execFileSync("git", ["apply", "-p0", "--unidiff-zero", "-"], {
    cwd: here.path,
    input: `${patch}\n`,
    timeout: 10_000,
  });
  expect(await readFile(join(here.path, "file"), "utf8")).toBe(after);
});

test("a very long difference is cut, and says so", () => {
  const after = Array.from({ length: 1000 }, (_, index) => `line ${index}\n`).join("");
  const lines = diffLines({ path: "f", before: undefined, after }, colors);
  expect(lines.length).toBeLessThan(210);
  expect(lines.at(-1)).toMatch(/and 801 lines more/);
});
