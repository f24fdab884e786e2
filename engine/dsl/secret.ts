import { inspect } from "node:util";
import { z } from "zod";

const BRAND = Symbol.for("run-playbook.secret");

/**
 * A value that cannot be printed: String(), JSON, inspect and template literals show `[secret]`. Reveal it only where
 * it goes on to a host's stdin or into a file's content.
 */
export class Secret<T extends string = string> {
  readonly [BRAND] = true;
  readonly #value: T;
  constructor(value: T) {
    this.#value = value;
    remember(value);
  }
  reveal(): T {
    return this.#value;
  }
  toString(): string {
    return "[secret]";
  }
  toJSON(): string {
    return "[secret]";
  }
  [inspect.custom](): string {
    return "[secret]";
  }
}

export const isSecret = (value: unknown): value is Secret =>
  typeof value === "object" && value !== null && BRAND in value;

// Every secret made in this process, so that output which happens to repeat one (a program that echoes its input) is
// masked too. Short values are not masked: masking "a" everywhere would destroy all text. Of a secret with several lines
// (a key, a kubeconfig) each long line is masked by itself, since programs print lines; short ones are structure.
const MIN_VALUE = 4;
const MIN_LINE = 20;
const known = new Set<string>();
/** The longest first: a secret within another must not leave a piece of that. Those of several lines come last. */
let longestFirst: readonly string[] = [];

function remember(value: string): void {
  const before = known.size;
  const lines = value.split("\n").map((line) => line.trim());
  if (lines.length > 1) for (const line of lines) if (line.length >= MIN_LINE) addForms(line);
  if (value.trim().length >= MIN_VALUE) addForms(value.trim());
  if (known.size > before)
    longestFirst = Array.from(known).sort(
      (one, other) => isLines(one) - isLines(other) || other.length - one.length,
    );
}

const isLines = (value: string): number => (value.includes("\n") ? 1 : 0);

// As programs print what they were given: plain, in JSON, in a URL, as Kubernetes shows a Secret's data.
function addForms(value: string): void {
  const base64 = Buffer.from(value).toString("base64");
  for (const form of [value, JSON.stringify(value).slice(1, -1), encoded(value), base64])
    if (form.length >= MIN_VALUE) known.add(form);
}

const encoded = (value: string) => encodeURIComponent(value.toWellFormed());

// What JSON.parse throws quotes a piece of the text, which may be one of a secret.
const QUOTED_JSON = /, (?:\.\.\.)?"[\s\S]{0,80}?"(?:\.\.\.)? is not valid JSON/g;

/** Text with every known secret masked. */
export function redact(text: string): string {
  let masked = text.replace(QUOTED_JSON, ", which is not valid JSON");
  for (const value of longestFirst) masked = masked.replaceAll(value, "[secret]");
  return masked;
}

/** What the schema says of anything else: whoever prints it must not print the value beside it. */
export const NOT_A_SECRET = "expected a secret (text, or secretFrom…)";

/** A schema whose values are {@link Secret}s: strings given in a playbook are wrapped, secrets pass through. */
export const secret = () =>
  z
    .union([z.custom<Secret>(isSecret), z.string()], { error: NOT_A_SECRET })
    .transform((value): Secret => {
      if (isSecret(value)) return value;
      return new Secret(value);
    });

/** Text with secrets inside it: the whole becomes one. @example secretText`token = ${token}\n` */
export function secretText(
  literals: TemplateStringsArray,
  ...values: (string | number | Secret)[]
): Secret {
  const shown = values.map((value) => (isSecret(value) ? value.reveal() : String(value)));
  return new Secret(String.raw({ raw: literals }, ...shown));
}
