/** Addresses in every spelling that people and programs give them. */
import fc from "fast-check";

/** Eight groups, with zeros where compression has a choice. IPv4 in IPv6 form is left out: it has a test of its own. */
export const ipv6Groups = fc
  .array(fc.oneof(fc.constant(0), fc.constant(0), fc.nat(0xffff), fc.nat(0xf)), {
    minLength: 8,
    maxLength: 8,
  })
  .filter((groups) => groups.slice(0, 5).some(Boolean) || groups[5] !== 0xffff);

export const ipv4Bytes = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));

/** Any spelling of one IPv6 address: case, leading zeros, any run of zeros compressed or none, the tail dotted. */
export const spellingsOf6 = (groups: readonly number[]): fc.Arbitrary<string> =>
  fc
    .record({
      upper: fc.boolean(),
      padded: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      dotted: fc.boolean(),
      compress: fc.nat(30),
    })
    .map(({ upper, padded, dotted, compress }) => {
      const head = dotted ? groups.slice(0, 6) : groups;
      const words = head.map((group, index) =>
        group.toString(16).padStart(padded[index] === true ? 4 : 1, "0"),
      );
      const [high = 0, low = 0] = groups.slice(6);
      const tail = dotted ? [[high >> 8, high & 255, low >> 8, low & 255].join(".")] : [];
      const text = compressed(head, words, compress, tail);
      return upper ? text.toUpperCase() : text;
    });

function compressed(
  groups: readonly number[],
  words: readonly string[],
  choice: number,
  tail: readonly string[],
): string {
  const runs = groups.flatMap((_, from) =>
    groups.flatMap((__, to) =>
      to >= from && groups.slice(from, to + 1).every((group) => group === 0) ? [[from, to]] : [],
    ),
  );
  const [from, to] = runs[choice % (runs.length + 1)] ?? [];
  if (from === undefined || to === undefined) return [...words, ...tail].join(":");
  const before = words.slice(0, from).join(":");
  return `${before}::${[...words.slice(to + 1), ...tail].join(":")}`;
}
