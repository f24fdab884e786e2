import { expect, test } from "vitest";
import { parseParams } from "#engine/cli/params.ts";

test("a value may hold anything, an equals sign too", () => {
  expect(parseParams(["a=1", "b=x=y", 'c={"d":[1]}', "e="])).toEqual({
    a: "1",
    b: "x=y",
    c: '{"d":[1]}',
    e: "",
  });
});

test.each([["novalue"], ["=x"], [""]])('"%s" is no param', (param) => {
  expect(() => parseParams([param])).toThrow("name=value");
});

test("a param given twice is a mistake, not a choice", () => {
  expect(() => parseParams(["a=1", "a=2"])).toThrow("twice");
});

test("a param called __proto__ is a name like any other", () => {
  expect(Object.keys(parseParams(["__proto__=x"]))).toEqual(["__proto__"]);
});
