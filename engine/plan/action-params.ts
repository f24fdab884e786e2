import type { z } from "zod";
import type { Action, Condition } from "../dsl/module.ts";
import { outputsIn, type RefSource, refsIn, resolveRefs } from "../dsl/ref.ts";
import { PlaybookError } from "../errors/error.ts";
import { describeIssues, showPath } from "./issues.ts";
import { playbookCode } from "./play.ts";

/** The schema side of a step's work: a module's, or a probe's. */
export const specOf = (work: Action | Condition) =>
  work.kind === "action" ? work.module : work.probe;

/**
 * Checks what can be checked before anything ran: every key whose value holds no ref, and that no key is unknown or
 * missing. The rest is checked when the refs have values. @throws PB_PARAMS_INVALID
 */
export function checkLiterals(work: Action | Condition, step: string): void {
  const { params } = work;
  if (refsIn(params).length === 0) {
    parseParams(work, params, step);
    return;
  }
  if (!isRecord(params)) return;
  const schema = specOf(work).params;
  const wrong = [...unknownKeys(schema, params), ...wrongLiterals(schema, params)];
  if (wrong.length > 0) throw invalid(work, step, wrong.join("; "));
}

/** Checks what can be checked once secrets are known, before any connection. @throws PB_PARAMS_INVALID */
export function checkSecrets(
  work: Action | Condition,
  step: string,
  lookup: (source: RefSource) => unknown,
): void {
  const { params, at } = work;
  if (!isRecord(params)) return;
  const known = Object.entries(params).map(([key, value]) => [
    key,
    outputsIn(value).length > 0 ? value : playbookCode(at, () => resolveRefs(value, lookup)),
  ]);
  checkLiterals({ ...work, params: Object.fromEntries(known) }, step);
}

/** Params with every ref resolved, as the schema types them. @throws PB_PARAMS_INVALID */
export function parseParams(
  work: Action | Condition,
  params: unknown,
  step: string,
): Record<string, unknown> {
  const schema = specOf(work).params;
  const unknown = isRecord(params) ? unknownKeys(schema, params) : [];
  const parsed = schema.safeParse(params);
  if (parsed.success && unknown.length === 0) return parsed.data;
  const strict = parsed.error?.issues.some(({ code }) => code === "unrecognized_keys");
  const why = [
    ...(strict === true ? [] : unknown),
    ...(parsed.success ? [] : [describeIssues(parsed.error, params)]),
  ];
  throw invalid(work, step, why.join("; "));
}

// A key that the schema does not know is a typo, whether or not the schema is a strict one.
function unknownKeys(schema: z.ZodObject, params: Record<string, unknown>): string[] {
  const { catchall } = schema.def;
  if (catchall !== undefined && catchall._zod.def.type !== "never") return [];
  return Object.keys(params)
    .filter((key) => !(key in schema.shape))
    .map((key) => `${showPath("", [key])}: no such field`);
}

function wrongLiterals(schema: z.ZodObject, params: Record<string, unknown>): string[] {
  return Object.entries(schema.shape).flatMap(([key, field]) => {
    const value = params[key];
    if (refsIn(value).length > 0) return [];
    const parsed = (field as z.ZodType).safeParse(value);
    return parsed.success ? [] : [describeIssues(parsed.error, value, key)];
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const invalid = (work: Action | Condition, step: string, why: string) =>
  new PlaybookError("PB_PARAMS_INVALID", [`Params of ${specOf(work).name}`, why], {
    at: work.at,
    step,
  });
