import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { ModuleSpec } from "#engine/dsl/module.ts";
import { Secret } from "#engine/dsl/secret.ts";

type Params = Readonly<Record<string, unknown>>;

interface Variation {
  /** The param that is to be another one. */
  readonly name: string;
  readonly base: Params;
  /** Params that the module is known to take. */
  readonly seen: readonly Params[];
}

/** The same params with another value of one of them: whatever the schema takes, and takes for another value. */
export function variantsOf(spec: ModuleSpec, { name, base, seen }: Variation): readonly Params[] {
  const before = spec.params.safeParse(base);
  if (!before.success) return [];
  const known = seen.map((params) => params[name]);
  const mine = (before.data as Params)[name];
  const candidates = [
    ...membersOf(spec, name),
    ...otherValues(base[name]),
    ...otherValues(mine),
    ...known,
    ...known.flatMap(otherValues),
    ...ANY,
  ];
  return candidates
    .map((value) => {
      const { [name]: _, ...rest } = base;
      return value === undefined ? rest : { ...rest, [name]: value };
    })
    .filter((params) => {
      const parsed = spec.params.safeParse(params);
      return parsed.success && !isDeepStrictEqual((parsed.data as Params)[name], mine);
    });
}

/** The values of an enumeration. */
function membersOf(spec: ModuleSpec, name: string): readonly unknown[] {
  const schema = z.toJSONSchema(spec.params, { io: "input", unrepresentable: "any" });
  const param = schema.properties?.[name];
  if (typeof param !== "object") return [];
  const parts = [param, ...(param.anyOf ?? [])].filter((part) => typeof part === "object");
  return parts.flatMap((part) => [...(part.enum ?? []), ...("const" in part ? [part.const] : [])]);
}

const ANY = [
  undefined,
  true,
  false,
  1,
  7,
  100,
  "other",
  new Secret("other"),
  "/srv/other",
  "other.example.net",
  "2001:db8:77::7",
  "2001:db8:77::/64",
  "v1.35.9",
  "0750",
  "1h",
  ["other"],
  { other: "value" },
];

function otherValues(value: unknown): readonly unknown[] {
  if (typeof value === "boolean") return [!value];
  if (typeof value === "number") return [value + 1, value - 1, value * 2];
  if (typeof value === "string")
    return [
      value.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10)),
      value.replace(/[a-z](?=[^a-z]*$)/, (letter) => (letter === "q" ? "r" : "q")),
      value.replace(/[a-z]/, (letter) => (letter === "q" ? "r" : "q")),
      // A file of another name with the same ending.
      value.replace(/(?=\.[^./]+$)/, "q"),
      `${value}q`,
      `${value}7`,
      `${value}/q`,
    ];
  if (Array.isArray(value))
    return [
      [],
      value.slice(1),
      ...otherValues(value[0]).map((first) => [first, ...value.slice(1)]),
      ...otherValues(value[0]).map((more) => [...value, more]),
    ];
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return [
      {},
      ...entries.map(([key]) => Object.fromEntries(entries.filter(([other]) => other !== key))),
      ...entries.flatMap(([key, part]) =>
        otherValues(part).map((other) => ({ ...value, [key]: other })),
      ),
      ...entries.map(([key, part]) => ({ ...value, [`${key}q`]: part })),
    ];
  }
  return [];
}
