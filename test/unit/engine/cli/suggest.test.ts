import { expect, test } from "vitest";
import { closest } from "#engine/cli/suggest.ts";

test.each([
  ["bootstrp.ts", "bootstrap.ts"],
  ["bootsrtap.ts", "bootstrap.ts"],
  ["rest.ts", "reset.ts"],
  ["entirely-else.ts", undefined],
])("%s was meant as %s", (given, meant) => {
  expect(closest(given, ["bootstrap.ts", "reset.ts"])).toBe(meant);
});
