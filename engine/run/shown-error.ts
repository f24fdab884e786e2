import { ModuleFault } from "../converge/module-fault.ts";
import { redact } from "../dsl/masking.ts";
import { type ErrorContext, isPlaybookError } from "../errors/error.ts";
import type { ShownError } from "../report/event.ts";
import { brief } from "../report/text.ts";

/** An error as data for events, secrets masked. What is no expected failure is shown as the bug that it is. */
export function showError(error: unknown, context: ErrorContext = {}): ShownError {
  const known = isPlaybookError(error);
  const { at, step, host, state, output } = known ? { ...context, ...error.context } : context;
  return {
    code: known ? error.code : "PB_BUG",
    message: brief(error instanceof Error ? error.message : String(error)),
    hint: known ? error.hint : bugHint(error),
    ...defined({ at, step, host }),
    ...(state === undefined ? {} : { state: brief(state) }),
    ...linesOf(error, known ? output : undefined),
    causes: causesOf(error),
  };
}

const bugHint = (error: unknown) =>
  error instanceof ModuleFault
    ? "This is a mistake in the module's code: report it with this output."
    : "This is a mistake in run-playbook's code: report it with this output.";

function linesOf(error: unknown, output: readonly string[] | undefined) {
  if (output !== undefined) return { output: output.map(brief) };
  if (isPlaybookError(error)) return {};
  const thrown = error instanceof ModuleFault ? error.cause : error;
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return stack === undefined ? {} : { output: redact(stack).split("\n").slice(0, 10).map(brief) };
}

function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  // A chain that bites its own tail must not hang the report.
  while (cause !== undefined && cause !== null && causes.length < 10) {
    causes.push(brief(cause instanceof Error ? cause.message : String(cause)));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

const defined = (fields: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
