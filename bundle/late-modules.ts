import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Plugin } from "rolldown";

/**
 * Gives run-playbook/modules as stubs that load a module when a playbook first names it: the schemas of all sixty take
 * longer to build than the connection to the first host.
 */
export function lateModules(root: string): Plugin {
  const index = join(root, "modules/index.ts");
  return {
    name: "late-modules",
    load: {
      filter: { id: index },
      handler() {
        const exported = exportsOf(index);
        const late = exported.filter(({ isModule }) => isModule);
        for (const { id } of late)
          this.emitFile({ type: "chunk", id, fileName: compiled(relative(root, id)) });
        return [
          `import { createRequire } from "node:module";`,
          `import { lateModule } from "../engine/dsl/late-module.ts";`,
          `const require = createRequire(import.meta.url);`,
          ...exported.map(({ name, id, isModule }) =>
            isModule
              ? `export const ${name} = lateModule(() => require("./${compiled(relative(dirname(index), id))}").${name});`
              : `export { ${name} } from ${JSON.stringify(id)};`,
          ),
        ].join("\n");
      },
    },
  };
}

interface Exported {
  readonly name: string;
  readonly id: string;
  readonly isModule: boolean;
}

/** What a file that only passes on passes on: values, not types. */
function exportsOf(file: string): Exported[] {
  const found: Exported[] = [];
  const clauses = readFileSync(file, "utf8").matchAll(/export (?:\{([^}]*)\}|\*) from "([^"]+)"/g);
  for (const [, names, from = ""] of clauses) {
    const id = join(dirname(file), from);
    if (names === undefined) found.push(...exportsOf(id));
    else
      for (const name of names.split(",").map((part) => part.trim()))
        if (name !== "" && !name.startsWith("type "))
          found.push({ name, id, isModule: defines(id, name) });
  }
  return found;
}

const defines = (file: string, name: string): boolean =>
  new RegExp(`^export const ${name}\\b[^=]*= define(Module|Probe)\\(`, "m").test(
    readFileSync(file, "utf8"),
  );

const compiled = (path: string): string => path.replace(/\.ts$/, ".js");
