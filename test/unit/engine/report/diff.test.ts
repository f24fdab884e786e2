import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { expect, test } from "vitest";
import { diffLines } from "#engine/report/diff.ts";

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
])("patch(1) makes the new file of the old one: %s", (_, before, after) => {
  const folder = mkdtempSync(join(tmpdir(), "run-playbook-diff-"));
  const file = join(folder, "file");
  writeFileSync(file, before ?? "");
  const patch = diffLines({ path: "file", before, after }, colors).join("\n");
  execFileSync("patch", ["--silent", file], { input: `${patch}\n`, timeout: 10_000 });
  expect(before !== undefined && after === "" ? "" : readFileSync(file, "utf8")).toBe(after);
});

test("a very long difference is cut, and says so", () => {
  const after = Array.from({ length: 1000 }, (_, index) => `line ${index}\n`).join("");
  const lines = diffLines({ path: "f", before: undefined, after }, colors);
  expect(lines.length).toBeLessThan(210);
  expect(lines.at(-1)).toMatch(/and 801 lines more/);
});
