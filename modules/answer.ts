/** What programs on a host answer, which may be anything: it is taken only where it has the shape that it should. */
import { z } from "zod";
import { PlaybookError } from "#engine/index.ts";

/** An answer of a known shape; `what` names it. @throws PB_ANSWER_INVALID, without a word of the answer: it may be secret */
export function answerOf<S extends z.ZodType>(
  what: string,
  schema: S,
  answer: unknown,
): z.output<S> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? "" : z.core.toDotPath(issue.path);
  throw invalid(what, where === "" ? "it is something else" : `${where} is something else`);
}

/** The same of JSON. */
export function jsonOf<S extends z.ZodType>(what: string, schema: S, text: string): z.output<S> {
  return answerOf(what, schema, parsed(what, text));
}

function parsed(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What JSON.parse says quotes the text.
    throw invalid(what, "it is no JSON");
  }
}

/** The refusal of an answer. */
export const invalid = (what: string, why: string) =>
  new PlaybookError("PB_ANSWER_INVALID", [what, why]);
