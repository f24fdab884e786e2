import { structuredPatch } from "diff";
import type { ShownChange } from "./event.ts";
import type { Colors } from "./renderer.ts";
import { oneLine, plural, printable } from "./text.ts";

const MOST_LINES = 200;

/** A file's difference in unified form, three lines of context; long ones are cut with a count of what is missing. */
export function diffLines(
  { path, before, after }: NonNullable<ShownChange["diff"]>,
  colors: Colors,
): string[] {
  const name = oneLine(path);
  const head = [
    colors.bold(`--- ${before === undefined ? "/dev/null" : name}`),
    colors.bold(`+++ ${name}`),
  ];
  // A deadline, for the comparison of two long files without a common line takes time in the square of their length.
  const patch = structuredPatch(name, name, before ?? "", after, undefined, undefined, {
    context: 3,
    timeout: 1000,
  });
  if (patch === undefined) return [...head, "(too different to show line by line)"];
  const lines = patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    colors.cyan(`@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`),
    ...lines.map((line) => toned(line, colors)),
  ]);
  if (lines.length <= MOST_LINES) return [...head, ...lines];
  const missing = plural(lines.length - MOST_LINES, "line");
  return [...head, ...lines.slice(0, MOST_LINES), colors.dim(`… and ${missing} more`)];
}

// As patch(1) wants it: one line needs no count, and an empty side stands before its first line.
const range = (start: number, count: number): string => {
  if (count === 0) return `${Math.max(0, start - 1)},0`;
  return count === 1 ? String(start) : `${start},${count}`;
};

function toned(line: string, colors: Colors): string {
  const safe = printable(line);
  if (line.startsWith("+")) return colors.green(safe);
  return line.startsWith("-") ? colors.red(safe) : safe;
}
