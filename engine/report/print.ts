import pc from "picocolors";
import { type ErrorContext, isPlaybookError } from "../errors/error.ts";
import type { ShownError } from "./event.ts";
import { oneLine, printable } from "./text.ts";

type Colors = ReturnType<typeof pc.createColors>;

const LINES = 20;

/** Any thrown value as data for printing; never throws itself, whatever the value does. */
export function describeError(error: unknown): ShownError {
  const causes = causesOf(error);
  if (!isPlaybookError(error)) return bug(error, causes);
  const { at, step, host, state, output } = attempt((): ErrorContext => error.context) ?? {};
  return {
    code: error.code,
    message: text(() => error.message),
    hint: text(() => error.hint),
    ...(at === undefined ? {} : { at }),
    ...(step === undefined ? {} : { step }),
    ...(host === undefined ? {} : { host }),
    ...(state === undefined ? {} : { state }),
    ...(output === undefined ? {} : { output }),
    causes,
  };
}

function bug(error: unknown, causes: readonly string[]): ShownError {
  const stack = text(() => (error as { stack?: unknown }).stack ?? "");
  return {
    code: "PB_BUG",
    message: said(error),
    hint: "This is a mistake in run-playbook, a module or the playbook: the lines above say where it arose.",
    output: stack
      .split("\n")
      .filter((line) => /^\s+at /.test(line) && !line.includes("node:internal"))
      .map((line) => line.trim())
      .slice(0, 8),
    causes,
  };
}

/** The messages of what caused an error, nearest first; a circle ends where it closes. */
function causesOf(error: unknown): string[] {
  const seen = new Set<unknown>([error]);
  const messages: string[] = [];
  const follow = (value: unknown): void => {
    const next = attempt(() => (value as { cause?: unknown }).cause);
    const parts = attempt(() => (value as { errors?: unknown }).errors);
    // One failed connection to a name with several addresses is an AggregateError without a message.
    for (const part of [next, ...(Array.isArray(parts) ? parts : [])]) {
      if (part === undefined || part === null || seen.has(part) || messages.length >= LINES)
        continue;
      seen.add(part);
      const message = said(part);
      if (message !== "" && messages.at(-1) !== message) messages.push(message);
      follow(part);
    }
  };
  follow(error);
  return messages;
}

// A message alone is often too little ("Unexpected token"): an own code or a telling name goes before it.
function said(value: unknown): string {
  if (typeof value !== "object" || value === null) return text(() => value);
  const message = text(() => (value as { message?: unknown }).message ?? "");
  const code = text(() => (value as { code?: unknown }).code ?? "");
  if (message === "")
    return code === "" ? text(() => (value as { name?: unknown }).name ?? "an object") : code;
  return isPlaybookError(value) && code !== "" ? `${code}: ${message}` : message;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // Naughty errors have getters that throw; what they hide is not worth a second failure.
    return undefined;
  }
}

const text = (read: () => unknown): string => attempt(() => String(read())) ?? "(unprintable)";

/** An error as people see it, without a newline at its end. */
export function printError(error: ShownError, colors: Colors = pc.createColors(false)): string {
  const place = [
    [error.step, error.host]
      .filter((part) => part !== undefined)
      .map(oneLine)
      .join(" on "),
    error.at === undefined ? "" : `(${oneLine(error.at)})`,
  ].filter((part) => part !== "");
  const indented = (value: string) =>
    printable(value)
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`);
  const labelled = (label: string, value: string) =>
    `  ${colors.bold(`${label}:`)} ${printable(value).trimEnd().replaceAll("\n", "\n    ")}`;
  return [
    [colors.red(colors.bold(error.code)), ...place].join("  ").replace("  (", " ("),
    ...indented(error.message),
    ...(error.output ?? [])
      .slice(-LINES)
      .map((line) => colors.dim(`  | ${printable(line).trimEnd()}`)),
    ...error.causes.map((cause) => labelled("cause", cause)),
    labelled("hint", error.hint),
    ...(error.state === undefined ? [] : [labelled("state", error.state)]),
  ].join("\n");
}
