import fc from "fast-check";
import { expect, test } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import { canonical } from "#engine/plan-file/canonical.ts";

test("values that differ in anything but the order of their keys are told apart", () => {
  const values = [
    1,
    "1",
    1n,
    true,
    "true",
    null,
    undefined,
    [],
    {},
    [1, 2],
    [[1], 2],
    ["1,2"],
    { a: 1 },
    { a: "1" },
    new Secret("hush"),
    "hush",
    new Uint8Array([1]),
    new Date(1),
    new Map([[1, 2]]),
    new Set([1]),
    /a/,
    (x: number) => x,
    (x: number) => x + 1,
    { a: { b: 1 } },
    { "a.b": 1 },
    "{}",
    "null",
  ];
  expect(new Set(values.map(canonical)).size).toBe(values.length);
});

test("the order of keys, of a set, and fields that are undefined make no difference", () => {
  expect(canonical({ a: 1, b: { c: 2, d: 3 } })).toBe(canonical({ b: { d: 3, c: 2 }, a: 1 }));
  expect(canonical(new Set([1, 2]))).toBe(canonical(new Set([2, 1])));
  expect(canonical({ a: 1, b: undefined })).toBe(canonical({ a: 1 }));
});

test("a value that holds itself has an end", () => {
  const round: { name: string; self?: unknown } = { name: "round" };
  round.self = round;
  expect(canonical(round)).toBe('{"name":"round","self":circle 1}');
});

test("equal JSON, and only that, is equal", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      const copy: unknown = JSON.parse(JSON.stringify(one));
      expect(canonical(copy)).toBe(canonical(JSON.parse(JSON.stringify(copy))));
      const same = canonical(one) === canonical(other);
      expect(same).toBe(equal(one, other));
    }),
  );
});

function equal(one: unknown, other: unknown): boolean {
  try {
    expect(one).toEqual(other);
    return true;
  } catch {
    return false;
  }
}
