import { relative } from "node:path";
import type { Playbook } from "../dsl/playbook.ts";
import { PlaybookError } from "../errors/error.ts";
import { findPlaybook, knownPlaybooks } from "./find-file.ts";
import { loadModule } from "./load-module.ts";
import { commandNames } from "./program.ts";
import { closest } from "./suggest.ts";

/** Finds a playbook and loads it; nothing is connected to before all of this went well. */
export async function loadPlaybook(name: string, cwd: string): Promise<Playbook> {
  const found = findPlaybook(name, cwd);
  if (found.path === undefined) {
    const meant =
      closest(name.endsWith(".ts") ? name : `${name}.ts`, knownPlaybooks(cwd)) ??
      closest(name, commandNames);
    const context = meant === undefined ? {} : { hint: `Did you mean ${meant}?` };
    throw new PlaybookError("PB_PLAYBOOK_MISSING", [name, found.looked], context);
  }
  const shown = relative(cwd, found.path) || found.path;
  return asPlaybook(await loadModule(found.path, { cwd }), shown);
}

function asPlaybook(module: Readonly<Record<string, unknown>>, shown: string): Playbook {
  const { default: exported } = module;
  if (isPlaybook(exported)) return exported;
  throw new PlaybookError("PB_PLAYBOOK_INVALID", [shown, whyNot(module)], { at: shown });
}

function whyNot(module: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(module).filter((name) => name !== "default");
  const named = names.find((name) => isPlaybook(module[name]));
  if (named !== undefined) return `its playbook is exported as "${named}", not as default`;
  const { default: exported } = module;
  if (exported === undefined)
    return names.length === 0
      ? "it exports nothing"
      : `it exports ${names.join(", ")}, and no default`;
  if (kindOf(exported) === "inventory") return "its default export is an inventory";
  return `its default export is ${typeof exported === "object" ? "an object" : `a ${typeof exported}`} of another kind`;
}

// By its mark, not by class: the playbook may have been made by another copy of this package.
const isPlaybook = (value: unknown): value is Playbook => kindOf(value) === "playbook";

const kindOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
