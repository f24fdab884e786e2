/** One value in two spellings, by its kind. */
import fc from "fast-check";
import { ipv4Bytes, ipv6Groups, spellingsOf6 } from "./ip-spellings.ts";

/** A value as a playbook says it, and as another one says the same. */
export type Pair<T> = readonly [T, T];

export const both = <T>(value: T): Pair<T> => [value, value];

/** A pair of lists, of a list of pairs. */
export const apart = <T>(pairs: readonly Pair<T>[]): Pair<T[]> => [
  pairs.map(([one]) => one),
  pairs.map(([, other]) => other),
];

/** One IPv6 address, by its groups. */
export const address6 = (groups: readonly number[]): fc.Arbitrary<Pair<string>> =>
  fc.tuple(spellingsOf6(groups), spellingsOf6(groups));

/** An address that names a host somewhere, of the documentation's ranges. */
export const address: fc.Arbitrary<Pair<string>> = fc.oneof(
  ipv6Groups.map((groups) => [0x2001, 0xdb8, ...groups.slice(2)]).chain(address6),
  ipv4Bytes.map(([, , , last]) => both(`192.0.2.${last}`)),
);

/** Some of these, at least one, in an order that says nothing. */
export const set = <T>(members: readonly T[]): fc.Arbitrary<Pair<T[]>> =>
  fc.subarray([...members], { minLength: 1 }).chain((some) => {
    const shuffled = fc.shuffledSubarray(some, { minLength: some.length });
    return fc.tuple(shuffled, shuffled);
  });

/** A user or group that every host has, by name and by number. */
export const account = fc.constantFrom<Pair<string>>(
  ["root", "0"],
  ["0", "00"],
  ["daemon", "1"],
  ["1", "daemon"],
);

/** A number as the kernel reads it: decimal, hexadecimal, octal. */
export const kernelNumber = fc.integer({ min: 128, max: 60_000 }).chain((value) => {
  const spelled = fc.constantFrom<string | number>(
    value,
    String(value),
    `0x${value.toString(16)}`,
    `0${value.toString(8)}`,
  );
  return fc.tuple(spelled, spelled);
});

export const mode = fc.constantFrom(0o600, 0o644, 0o755, 0o1777, 0o4750);

/** Anything that a person may write into a file. */
export const text = fc.string({ unit: "grapheme", maxLength: 60 });
