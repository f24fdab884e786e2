import { inspect } from "node:util";
import type { z } from "zod";
import { redact } from "../dsl/masking.ts";
import { NOT_A_SECRET } from "../dsl/secret.ts";

type Issue = z.core.$ZodIssue;

/** What a schema found wrong, one sentence part an issue: `subnets[0]: expected an IPv6 prefix, got "10.0.0.0/8"`. */
export function describeIssues(error: z.ZodError, value: unknown, root = ""): string {
  return error.issues.flatMap((issue) => describeIssue(issue, value, root)).join("; ");
}

function describeIssue(issue: Issue, value: unknown, root: string): string[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `${showPath(root, [...issue.path, key])}: no such field`);
  const found = valueAt(value, issue.path);
  const said = lowerFirst(messageOf(issue));
  const got =
    said === NOT_A_SECRET ? "" : found === undefined ? ", got nothing" : `, got ${show(found)}`;
  return [`${showPath(root, issue.path)}: ${said}${got}`];
}

// "Invalid input" says nothing: what each alternative of a union wanted does.
function messageOf(issue: Issue): string {
  if (issue.code !== "invalid_union" || issue.message !== "Invalid input") return issue.message;
  const wanted = issue.errors.flatMap(([first]) => (first === undefined ? [] : [messageOf(first)]));
  return wanted.length === 0 ? issue.message : Array.from(new Set(wanted)).join(" or ");
}

const lowerFirst = (text: string) =>
  text.replace(/^Invalid input: /, "").replace(/^[A-Z](?=[a-z])/, (c) => c.toLowerCase());

/** A path as one would write it in the playbook: `values["net.ipv6.conf"]`, `peers[0].address`. */
export function showPath(root: string, path: readonly PropertyKey[]): string {
  const shown = path.reduce<string>((before, key) => {
    if (typeof key === "number") return `${before}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${before}["${name}"]`;
    return before === "" ? name : `${before}.${name}`;
  }, root);
  return shown === "" ? "(the whole)" : shown;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

function masked(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redact(value);
  if (depth > 3) return "…";
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1));
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redact(key), masked(item, depth + 1)]),
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}

/** A value for people: short, on one line, secrets masked, before inspect escapes anything in them. */
function show(value: unknown): string {
  const text = inspect(masked(value), { depth: 2, breakLength: Number.POSITIVE_INFINITY });
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
