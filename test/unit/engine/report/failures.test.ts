import pc from "picocolors";
import { expect, test } from "vitest";
import type { ShownError } from "#engine/report/event.ts";
import { failureText } from "#engine/report/failures.ts";

const colors = pc.createColors(false);
const on = (host: string): ShownError => ({
  code: "PB_USAGE",
  message: `disk of ${host} is full`,
  hint: "make room",
  step: "image",
  host,
  causes: [],
});

test("the same failure on many hosts is printed once, with their names", () => {
  const hosts = Array.from({ length: 30 }, (_, index) => `w${index}`);
  const text = failureText(hosts.map(on), colors).join("\n");
  expect(text.match(/PB_USAGE/g)).toHaveLength(1);
  expect(text).toContain("also: w1, w2, w3");
  expect(text).toContain("and 17 more");
});

test("different failures stay apart", () => {
  const text = failureText([on("a"), { ...on("b"), step: "other" }], colors).join("\n");
  expect(text.match(/PB_USAGE/g)).toHaveLength(2);
});
