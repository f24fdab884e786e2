import { expect, test } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import { cut, elapsed, listed, oneLine, printable, width } from "#engine/report/text.ts";

test("what a host prints cannot drive the terminal", () => {
  expect(printable("\x1b[31mred\x1b[0m \x1b]0;title\x07 and \x1b[2J")).toBe("red  and ");
  expect(printable("a\rb\x07c\x00\x85")).toBe("a\\x0db\\x07c\\x00\\x85");
  expect(printable("exe\u202egnp.txt\u200b")).toBe("exe\\u202egnp.txt\\u200b");
  expect(printable("one\r\ntwo\tthree\n")).toBe("one\ntwo\tthree\n");
});

test("a label stays on one line", () => {
  expect(oneLine(" a\n\tb\x1b[1m ")).toBe("a b");
});

test("a secret that a host repeats is masked", () => {
  new Secret("correct horse");
  expect(printable("password: correct horse")).toBe("password: [secret]");
});

test("text is cut by columns, not by characters", () => {
  expect(width("名前")).toBe(4);
  expect(cut("名前です", 5)).toBe("名前…");
  expect(cut("short", 5)).toBe("short");
  expect(cut("longer", 5)).toBe("long…");
});

test.each([
  [40, "0.0s"],
  [9_940, "9.9s"],
  [9_960, "10s"],
  [59_600, "1m 00s"],
  [187_000, "3m 07s"],
  [3_720_000, "1h 02m"],
])("%i ms are shown as %s", (ms, shown) => {
  expect(elapsed(ms)).toBe(shown);
});

test("many names are cut with how many are missing", () => {
  expect(listed(["a", "b", "c"], 3)).toBe("a, b, c");
  expect(listed(["a", "b", "c", "d"], 2)).toBe("a, b and 2 more");
});
