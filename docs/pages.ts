import type { ModuleSpec, ProbeSpec } from "#engine/dsl/module.ts";
import { catalog } from "#engine/errors/catalog.ts";
import * as modules from "#modules/index.ts";
import { errorsPage } from "./errors-page.ts";
import { modulePage } from "./module-page.ts";

/** Every page that is made from code, by its path under docs/. */
export function pages(): Record<string, string> {
  const specs = Object.values(modules)
    .flatMap(specOf)
    .sort((one, other) => one.name.localeCompare(other.name, "en"));
  return {
    "errors.md": errorsPage(catalog),
    ...Object.fromEntries(specs.map((spec) => [`modules/${spec.name}.md`, modulePage(spec)])),
    ...(specs.length === 0 ? {} : { "modules/README.md": index(specs) }),
  };
}

const index = (specs: readonly (ModuleSpec | ProbeSpec)[]): string =>
  [
    "# Modules",
    "",
    "Written by `npm run docs` from the modules' own schemas.",
    "",
    ...specs.map(({ name, summary }) => `- [${name}](${name}.md): ${summary}`),
    "",
  ].join("\n");

// modules/index.ts also exports schemas and the like; a module is a function that carries its spec.
const specOf = (value: unknown): (ModuleSpec | ProbeSpec)[] =>
  typeof value === "function" && "spec" in value ? [value.spec as ModuleSpec | ProbeSpec] : [];
