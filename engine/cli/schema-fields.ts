import { z } from "zod";

/** One field of a schema, as a reader wants to know it. */
export interface Field {
  /** As in "routes[].via". */
  readonly path: string;
  readonly type: string;
  /** JSON; "none" where it may be left out, undefined where it must be given. */
  readonly fallback: string | undefined;
  readonly description: string;
}

interface Json {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
  readonly items?: Json;
  readonly additionalProperties?: Json | boolean;
  readonly anyOf?: readonly Json[];
  readonly oneOf?: readonly Json[];
  readonly allOf?: readonly Json[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly $ref?: string;
}

/** The fields of an object schema as they are given, nested ones after the one that holds them. */
export function fieldsOf(schema: z.ZodObject): Field[] {
  const json = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    reused: "inline",
    override: ({ zodSchema, jsonSchema }) => {
      // zod leaves it away where a value is transformed, as it might be the transformed one: defaults of ours are given ones.
      const { def } = zodSchema._zod;
      if (def.type === "default") jsonSchema.default ??= def.defaultValue;
    },
  });
  // zod's own type of it is wider than what an object schema of ours can become.
  return describe(json as Json, "");
}

function describe({ properties = {}, required = [] }: Json, prefix: string): Field[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const isRequired = required.includes(name) && field.default === undefined;
    const fallback = field.default === undefined ? "none" : JSON.stringify(field.default);
    const own: Field = {
      path,
      type: typeOf(field),
      fallback: isRequired ? undefined : fallback,
      description: field.description ?? "",
    };
    return [own, ...inside(field, path)];
  });
}

function inside(field: Json, path: string): Field[] {
  if (field.properties !== undefined) return describe(field, `${path}.`);
  if (field.items !== undefined) return inside(field.items, `${path}[]`);
  const values = field.additionalProperties;
  return typeof values === "object" ? inside(values, `${path}.*`) : [];
}

function typeOf(field: Json): string {
  const options = field.anyOf ?? field.oneOf;
  if (options !== undefined) {
    const types = [...new Set(options.map(typeOf))];
    // How secret() looks from outside: a class of ours, or text that becomes one.
    return types.join() === "value,string" ? "secret" : types.join(" or ");
  }
  if (field.const !== undefined) return JSON.stringify(field.const);
  if (field.enum !== undefined)
    return field.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (field.items !== undefined) return `list of ${typeOf(field.items)}`;
  if (typeof field.additionalProperties === "object" && field.properties === undefined)
    return `record of ${typeOf(field.additionalProperties)}`;
  if (field.type === undefined) return "value";
  return `${[field.type].flat().join(" or ")}${range(field)}`;
}

function range({ type, minimum, maximum }: Json): string {
  if (type !== "integer" && type !== "number") return "";
  const isBound = (value: number | undefined): value is number =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  if (isBound(minimum) && isBound(maximum)) return ` ${minimum}…${maximum}`;
  if (isBound(minimum)) return ` ≥ ${minimum}`;
  return isBound(maximum) ? ` ≤ ${maximum}` : "";
}
