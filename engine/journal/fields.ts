import type { KeyedHash } from "../keyed-hash/keyed-hash.ts";

/** Each field of a record by itself; anything else as one. */
export function hashFields(value: unknown, hashes: KeyedHash): Record<string, string> {
  if (value === undefined) return {};
  const fields = isPlain(value) ? Object.entries(value) : ([["", value]] as const);
  return Object.fromEntries(
    fields.flatMap(([name, field]) => (field === undefined ? [] : [[name, hashes.of(field)]])),
  );
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
