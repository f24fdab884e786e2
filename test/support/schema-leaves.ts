/** Where text stands in params, found in their schema: a module that is new is covered without being named. */
import type { z } from "zod";
import { isSecret, Secret } from "#engine/index.ts";

type Schema = z.core.$ZodType;

/** One place in params that takes text: a value, or the key of a record. */
export interface Leaf {
  /** As in "routes[].via", "labels.<key>" or "labels.*". */
  readonly path: string;
  /** What the schema's own checks match; all of them must. */
  readonly patterns: readonly RegExp[];
  /** Params with the text, or the secret, in this place; what it needs around it is made up where it is missing. */
  put(params: unknown, text: string | Secret): Record<string, unknown>;
}

interface Place {
  readonly path: string;
  readonly patterns: readonly RegExp[];
  put(given: unknown, text: string | Secret): unknown;
}

/** Every place in params that takes text, whatever it is nested in. */
export const leavesOf = (params: z.ZodType): Leaf[] =>
  places(params).map(({ path, patterns, put }) => ({
    path: path.replace(/^\./, ""),
    patterns,
    put: (given, text) => put(given, text) as Record<string, unknown>,
  }));

/** Texts that some schema of ours takes; tried in this order. */
export const SPECIMENS = [
  "a",
  "/srv/a",
  "2001:db8::1",
  "2001:db8::/64",
  "2001:db8::1/64",
  "v1.36.3",
  "30s",
  "a.service",
  "https://[2001:db8::1]/a",
  "default/a",
  "net.ipv4.ip_forward",
  "/etc/netplan/90-a.yaml",
  "/etc/sysctl.d/90-a.conf",
  "registry.example/a:1",
  "5f0c6a5e-0000-4000-8000-000000000001",
  "0123456789abcdef".repeat(4),
  `sha256:${"0123456789abcdef".repeat(4)}`,
  "abcdef.0123456789abcdef",
  "/etc/modules-load.d/a.conf",
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEE",
  "-----BEGIN PGP PUBLIC KEY BLOCK-----",
];

const accepts = (schema: Schema, value: unknown): boolean =>
  (schema as z.ZodType).safeParse(value).success;

/** The smallest thing that a schema takes. */
function specimen(schema: Schema): unknown {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(def.shape).flatMap(([key, field]) =>
          accepts(field, undefined) ? [] : [[key, specimen(field)]],
        ),
      );
    case "array":
      return [specimen(def.element)];
    case "tuple":
      return def.items.map(specimen);
    case "record":
      return { [String(specimen(def.keyType))]: specimen(def.valueType) };
    case "union":
      return specimen(def.options[0] as Schema);
    case "enum":
      return Object.values(def.entries)[0];
    case "literal":
      return def.values[0];
    case "pipe":
      return specimen(def.in);
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "readonly":
      return specimen(def.innerType);
    default: {
      const values = [...SPECIMENS, 1, 2000, true, null, new Secret("specimen")];
      const found = values.find((value) => accepts(schema, value));
      if (found === undefined) throw new Error(`no specimen for ${def.type}: add one`);
      return found;
    }
  }
}

function places(schema: Schema): Place[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "string":
      return [{ path: "", patterns: patternsOf(schema), put: (_, text) => text }];
    case "custom":
    case "unknown":
    case "any":
      return takesText(schema) ? [{ path: "", patterns: [], put: (_, text) => text }] : [];
    case "object":
      return [
        ...Object.entries(def.shape),
        // A loose object takes fields that nobody named.
        ...(def.catchall?._zod.def.type === "unknown" ? [["more", def.catchall] as const] : []),
      ].flatMap(([key, field]) =>
        inside(field, `.${key}`, {
          get: (given) => (given as Record<string, unknown> | undefined)?.[key],
          set: (given, value) => ({ ...(given ?? (specimen(schema) as object)), [key]: value }),
        }),
      );
    case "array":
      return inside(def.element, "[]", {
        get: (given) => (given as unknown[] | undefined)?.[0],
        set: (given, value) => [value, ...((given as unknown[] | undefined) ?? []).slice(1)],
      });
    case "tuple":
      return [...def.items, ...(def.rest === null ? [] : [def.rest])].flatMap((item, at) =>
        inside(item, `[${at}]`, {
          get: (given) => (given as unknown[] | undefined)?.[at],
          set: (given, value) => replacedAt((given ?? specimen(schema)) as unknown[], at, value),
        }),
      );
    case "record":
      return [...anyKeyOf(def), ...inside(def.valueType, ".*", anyValueOf(def))];
    case "union":
      return def.options.flatMap((option) =>
        inside(option, "", {
          get: (given) => (accepts(option, given) && !isSecret(given) ? given : undefined),
          set: (_, value) => value,
        }),
      );
    case "pipe":
      return places(def.in);
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "readonly":
      return places(def.innerType);
    default:
      return [];
  }
}

interface Way {
  get(given: unknown): unknown;
  set(given: unknown, value: unknown): unknown;
}

const inside = (schema: Schema, step: string, { get, set }: Way): Place[] =>
  places(schema).map(({ path, patterns, put }) => ({
    path: `${step}${path}`,
    patterns,
    put: (given, text) => set(given, put(get(given) ?? specimen(schema), text)),
  }));

type RecordDef = z.core.$ZodRecordDef;

const first = (given: unknown) => Object.entries((given ?? {}) as Record<string, unknown>)[0];

const anyKeyOf = ({ keyType, valueType }: RecordDef): Place[] =>
  places(keyType).map(({ patterns, put }) => ({
    path: ".<key>",
    patterns,
    put: (given, text) => ({
      ...(given as object | undefined),
      [keyText(put(undefined, text))]: first(given)?.[1] ?? specimen(valueType),
    }),
  }));

// No key is a secret: one that would be is tried as the placeholder that inspection shows.
const keyText = (key: unknown): string => (isSecret(key) ? "[secret]" : String(key));

const anyValueOf = ({ keyType }: RecordDef): Way => ({
  get: (given) => first(given)?.[1],
  set: (given, value) => ({
    ...(given as object | undefined),
    [first(given)?.[0] ?? String(specimen(keyType))]: value,
  }),
});

function replacedAt(list: readonly unknown[], at: number, value: unknown): unknown[] {
  const copy = [...list];
  copy[at] = value;
  return copy;
}

const takesText = (schema: Schema) => SPECIMENS.some((text) => accepts(schema, text));

const patternsOf = (schema: Schema): RegExp[] =>
  (schema._zod.def.checks ?? []).flatMap((check) => {
    const { pattern } = check._zod.def as { pattern?: RegExp };
    return pattern === undefined ? [] : [pattern];
  });
