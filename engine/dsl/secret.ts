import { inspect } from "node:util";
import { z } from "zod";
import { PlaybookError } from "../errors/error.ts";
import { remember } from "./masking.ts";

const BRAND = Symbol.for("run-playbook.secret");

/**
 * A value that cannot be turned into text: String(), template literals, JSON and YAML throw PB_SECRET_MISUSED, and inspect
 * shows `[secret]`. Reveal it only where it goes on to a host's stdin or into a file's content; `secretText` makes text
 * with secrets in it, which is a secret as a whole.
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
  // The placeholder would go on to a host as if it were the value: it must fail loudly instead.
  toString(): string {
    throw new PlaybookError("PB_SECRET_MISUSED", ["text"]);
  }
  toJSON(): string {
    throw new PlaybookError("PB_SECRET_MISUSED", ["JSON or YAML"]);
  }
  [Symbol.toPrimitive](): string {
    return this.toString();
  }
  /** For errors, logs and debuggers: what is inspected goes to people, never to a host. */
  [inspect.custom](): string {
    return "[secret]";
  }
}

export const isSecret = (value: unknown): value is Secret =>
  typeof value === "object" && value !== null && BRAND in value;

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

/** Whether a secret is anywhere in a value of plain objects and lists. */
export const holdsSecret = (value: unknown): boolean =>
  isSecret(value) ||
  (typeof value === "object" && value !== null && Object.values(value).some(holdsSecret));

/** A value as JSON, secrets in it revealed: a secret as a whole then. */
export function jsonText(value: unknown): string | Secret {
  if (!holdsSecret(value)) return JSON.stringify(value);
  return new Secret(JSON.stringify(revealed(value)));
}

function revealed(value: unknown): unknown {
  if (isSecret(value)) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item)]));
}

/** Text with secrets inside it: the whole becomes one. @example secretText`token = ${token}\n` */
export function secretText(
  literals: TemplateStringsArray,
  ...values: (string | number | Secret)[]
): Secret {
  const shown = values.map((value) => (isSecret(value) ? value.reveal() : String(value)));
  return new Secret(String.raw({ raw: literals }, ...shown));
}
