import { isSecret, Secret } from "../dsl/secret.ts";

type Marked = { readonly [kind: `\0${string}`]: unknown };

/**
 * What a read found, as text: JSON, with marks for what JSON cannot say. Functions are dropped, and secrets come back
 * empty: what is secret is in a file's content, never beside it.
 */
export const toText = (value: unknown): string => JSON.stringify(marked(value));

/** The same value again. */
export const fromText = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    const [[kind, of] = ["", undefined], ...others] = Object.entries(value);
    return others.length === 0 && kind.startsWith("\0") ? revived(kind, of) : value;
  });

function marked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isSecret(value)) return mark("secret", "");
  if (Array.isArray(value)) return value.map(marked);
  if (value instanceof Uint8Array) return mark("bytes", Buffer.from(value).toString("base64"));
  if (value instanceof Map) return mark("map", Array.from(value, marked));
  if (value instanceof Set) return mark("set", Array.from(value, marked));
  const fields = Object.entries(value).map(([key, part]) => [key, marked(part)] as const);
  // What would pass for a mark of ours is marked itself.
  return fields.length === 1 && fields[0]?.[0].startsWith("\0")
    ? mark("fields", fields)
    : Object.fromEntries(fields);
}

const mark = (kind: string, of: unknown): Marked => ({ [`\0${kind}`]: of });

function revived(kind: string, of: unknown): unknown {
  switch (kind) {
    case "\0secret":
      return new Secret("");
    case "\0bytes":
      return new Uint8Array(Buffer.from(String(of), "base64"));
    case "\0map":
      return new Map(of as [unknown, unknown][]);
    case "\0set":
      return new Set(of as unknown[]);
    default:
      return Object.fromEntries(of as [string, unknown][]);
  }
}
