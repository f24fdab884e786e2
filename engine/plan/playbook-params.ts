import { z } from "zod";
import { redact } from "../dsl/masking.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { holdsSecret } from "../dsl/secret.ts";
import { PlaybookError } from "../errors/error.ts";
import { describeIssues } from "./issues.ts";

/**
 * The playbook's own params, as its schema types them. Text from the command line is taken as it stands where that
 * fits, and as JSON otherwise: "3" is text for a string and a number for a number. @throws PB_PARAMS_INVALID
 */
export function parsePlaybookParams(
  { name, at, options }: Playbook,
  raw: Readonly<Record<string, unknown>>,
): unknown {
  const schema = options.params ?? z.strictObject({});
  const known = Object.keys(schema.shape);
  const unknown = Object.keys(raw).filter((key) => !known.includes(key));
  if (unknown.length > 0) {
    const have = known.length === 0 ? "it takes none" : `it takes ${known.join(", ")}`;
    throw invalid(name, `no param is called ${unknown.join(", ")} (${have})`, at);
  }
  const typed = Object.fromEntries(
    Object.entries(raw).map(([key, value]) => [key, asWanted((schema.shape as Shape)[key], value)]),
  );
  const parsed = schema.safeParse(typed);
  if (parsed.success) return parsed.data;
  throw invalid(name, describeIssues(parsed.error, typed), at);
}

type Shape = Readonly<Record<string, z.core.$ZodType>>;

function asWanted(schema: z.core.$ZodType | undefined, value: unknown): unknown {
  if (typeof value !== "string" || schema === undefined) return value;
  if (z.safeParse(schema, value).success) return value;
  const json = asJson(value);
  return json !== undefined && z.safeParse(schema, json.value).success ? json.value : value;
}

function asJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const invalid = (playbook: string, why: string, at: string) =>
  new PlaybookError("PB_PARAMS_INVALID", [`The params of playbook "${playbook}"`, why], {
    at,
    hint: "`run-playbook PLAYBOOK --help` shows the params that it takes, with their types.",
  });

/** The params among those given whose values are secrets, as the schema types them: they may not be written down. */
export function secretParams(playbook: Playbook, raw: Readonly<Record<string, string>>): string[] {
  const typed = parsePlaybookParams(playbook, raw);
  const values = typeof typed === "object" && typed !== null ? typed : {};
  return Object.entries(raw)
    .filter(([name, text]) => holdsSecret(Reflect.get(values, name)) || redact(text) !== text)
    .map(([name]) => name);
}
