import { isRef } from "../dsl/ref.ts";
import { isSecret } from "../dsl/secret.ts";

/**
 * A value as text: the same for equal values, whatever the order of their keys, and another one for all others. A field
 * that is undefined is as one that is not there. Secrets are in it: hash it, and never keep it.
 */
export const canonical = (value: unknown): string => write(value, []);

function write(value: unknown, within: readonly object[]): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "function":
      return `function ${JSON.stringify(String(value))}`;
    case "object":
      return value === null ? "null" : writeObject(value, within);
    case "bigint":
      return `${value}n`;
    case "number":
    case "boolean":
    case "undefined":
    case "symbol":
      return String(value);
  }
}

function writeObject(value: object, within: readonly object[]): string {
  if (isSecret(value)) return `secret ${JSON.stringify(value.reveal())}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("base64")}`;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof RegExp) return `regexp ${value}`;
  // How far up it closes is what tells two circles apart.
  if (within.includes(value)) return `circle ${within.length - within.indexOf(value)}`;
  const inside = [...within, value];
  const item = (each: unknown) => write(each, inside);
  if (isRef(value)) return `ref ${item(value.source)}`;
  if (Array.isArray(value)) return `[${value.map(item).join()}]`;
  if (value instanceof Set) return `set [${Array.from(value, item).sort().join()}]`;
  if (value instanceof Map)
    return `map [${Array.from(value, ([key, of]) => `${item(key)}:${item(of)}`)
      .sort()
      .join()}]`;
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([key, field]) => `${JSON.stringify(key)}:${item(field)}`);
  return `{${fields.sort().join()}}`;
}
