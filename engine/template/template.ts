/**
 * Handlebars for configuration files: strict (a variable that nobody gave is an error, not an empty place) and without
 * HTML escapes. Blocks are `if`, `unless`, `each` and `with`; whatever else needs computing is computed by the caller.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import Handlebars from "handlebars";
import { holdsSecret, isSecret, Secret } from "../dsl/secret.ts";
import { PlaybookError } from "../errors/error.ts";

/** A parsed template: values in, text out; text with a secret in it is a secret as a whole. */
export type Template<V = Readonly<Record<string, unknown>>> = (values: V) => string | Secret;

/** A template from its text; `name` is what errors call it. @throws PB_TEMPLATE where it does not parse */
export function compileTemplate(name: string, text: string): Template {
  const bars = strictBars(name);
  const program = parse(bars, name, text);
  return (values) => {
    const data = bare(values);
    try {
      const rendered = program(data);
      refuseObjects(name, text, rendered);
      return holdsSecret(values) ? new Secret(rendered) : rendered;
    } catch (error) {
      throw explain(name, error);
    }
  };
}

/** The template beside its one user. @example const render = templateFile<Values>(new URL("./unit.hbs", import.meta.url)) */
export function templateFile<V extends Readonly<Record<string, unknown>>>(
  url: URL,
): (values: V) => string {
  const path = fileURLToPath(url);
  let template: Template | undefined;
  return (values) => {
    template ??= compileTemplate(basename(path), readFileSync(path, "utf8"));
    const text = template({ ...values });
    // Modules that render secrets say so in their own types: they compile the template themselves.
    if (isSecret(text)) throw new TypeError(`${basename(path)} was given a secret`);
    return text;
  };
}

type Bars = ReturnType<typeof Handlebars.create>;

// Handlebars checks variables that are printed, but lets `{{#if missing}}` pass as false: a typo would switch a block
// off without a word.
function strictBars(name: string): Bars {
  const bars = Handlebars.create();
  for (const block of ["if", "unless", "each", "with"] as const) {
    const original = bars.helpers[block];
    bars.registerHelper(block, function (this: unknown, ...given: unknown[]) {
      const options = given.at(-1) as { loc?: { start: { line: number } } };
      if (given[0] === undefined) {
        const why = `what {{#${block}}} looks at is not given`;
        throw new PlaybookError("PB_TEMPLATE", [name, options.loc?.start.line ?? 0, why]);
      }
      return original?.apply(this, given as [unknown, Handlebars.HelperOptions]);
    });
  }
  return bars;
}

function parse(bars: Bars, name: string, text: string): (values: unknown) => string {
  try {
    const tree = bars.parse(text);
    return bars.compile(tree, { strict: true, noEscape: true });
  } catch (error) {
    throw explain(name, error);
  }
}

function explain(name: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PlaybookError) return error;
  const missing = /^"(.*)" not defined in .* - (\d+):\d+$/.exec(error.message);
  const syntax = /^Parse error on line (\d+):\n([^\n]*)/.exec(error.message);
  if (missing === null && syntax === null) return error;
  const line = Number(missing?.[2] ?? syntax?.[1]);
  const why =
    missing === null ? `does not parse: ${syntax?.[2]}` : `the variable ${missing[1]} is not given`;
  return new PlaybookError("PB_TEMPLATE", [name, line, why], {}, { cause: error });
}

// A copy without prototypes, so that {{constructor}} is as undefined as any other name; secrets revealed on the way.
function bare(value: unknown, key = "values"): unknown {
  if (isSecret(value)) return value.reveal();
  if (Array.isArray(value)) return value.map((item) => bare(item, key));
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = Object.create(null);
  // Handlebars puts the object into the text of its own errors.
  Object.defineProperty(copy, Symbol.toPrimitive, { value: () => `${OBJECT}${key}${OBJECT}` });
  for (const [name, item] of Object.entries(value)) copy[name] = bare(item, name);
  return copy;
}

/** What stands around the name of a value that has no text. No template holds it, as these are noncharacters. */
const OBJECT = "\ufdd0\ufdd1";

function refuseObjects(name: string, text: string, rendered: string): void {
  const [, key] = new RegExp(`${OBJECT}(.*?)${OBJECT}`, "s").exec(rendered) ?? [];
  if (key === undefined) return;
  const line = text.split("\n").findIndex((each) => each.includes("{{") && each.includes(key)) + 1;
  throw new PlaybookError("PB_TEMPLATE", [name, line, `${key} is no text but an object`]);
}
