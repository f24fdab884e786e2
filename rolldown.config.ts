/**
 * What the package ships: the engine, the modules and the lab in a few files. Finding, reading and linking five hundred
 * small ones took most of the time between the command line and the first connection.
 */
import { chmodSync, cpSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { defineConfig, type Plugin } from "rolldown";

const root = import.meta.dirname;
const sources = { conditionNames: ["@run-playbook/source", "node", "import", "default"] };
const programs = [
  "lab/apt-proxy/main",
  "lab/delay-line/main",
  "lab/delay-line/worker",
  "lab/mirror/serve",
];

export default defineConfig([
  {
    platform: "node",
    input: Object.fromEntries(
      ["engine/cli/bin", "engine/index", "modules/index", ...programs].map((entry) => [
        entry,
        `${entry}.ts`,
      ]),
    ),
    resolve: sources,
    // ssh2 finds its native part beside itself.
    external: [/^node:/, "ssh2", "zx"],
    plugins: [lateModules(), placesOfModules(), besideTheCode(), licenses()],
    output: {
      dir: "dist",
      entryFileNames: "[name].js",
      // Below engine/, so that the engine knows its own lines in a stack.
      chunkFileNames: "engine/chunks/[name]-[hash].js",
      codeSplitting: { groups: [{ name: "engine", test: atStart }] },
    },
  },
  {
    // File by file, as people may read them: what they import is the package, as in anybody's playbook.
    platform: "node",
    input: [...globSync("playbooks/*.ts", { cwd: root }), "inventory/example.ts"],
    external: [/^node:/, /^run-playbook/, "zod"],
    output: {
      dir: "dist",
      preserveModules: true,
      preserveModulesRoot: ".",
      entryFileNames: "[name].js",
    },
  },
]);

/** What every run of a playbook needs, in one file. */
function atStart(id: string): boolean {
  return (
    /\/engine\/(dsl|errors|plan|graph|net|run|converge|host)\/(?!fake|local|ssh)/.test(id) ||
    /\/engine\/cli\/(process|main|program|run-playbook|load-|renderer|signals|transports)/.test(
      id,
    ) ||
    /\/engine\/(index|report\/(lines|json))\.ts/.test(id) ||
    /\/node_modules\/(zod|commander)\//.test(id)
  );
}

/**
 * Gives run-playbook/modules as stubs that load a module when a playbook first names it: the schemas of all sixty take
 * longer to build than the connection to the first host.
 */
function lateModules(): Plugin {
  const index = join(root, "modules/index.ts");
  return {
    name: "late-modules",
    load: {
      filter: { id: index },
      handler() {
        const exported = exportsOf(index);
        const late = exported.filter(({ isModule }) => isModule);
        for (const { id } of late)
          this.emitFile({
            type: "chunk",
            id,
            fileName: relative(root, id).replace(/\.ts$/, ".js"),
          });
        return [
          `import { createRequire } from "node:module";`,
          `import { lateModule } from "../engine/dsl/late-module.ts";`,
          `const require = createRequire(import.meta.url);`,
          ...exported.map(({ name, id, isModule }) =>
            isModule
              ? `export const ${name} = lateModule(() => require("./${relative(dirname(index), id).replace(/\.ts$/, ".js")}").${name});`
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

/** A module finds what lies beside it (a template, a program) where it would be if each module were a file. */
function placesOfModules(): Plugin {
  const place = /__placeOf\("([^"]+)"\)/g;
  return {
    name: "places-of-modules",
    transform: {
      filter: { id: /\.ts$/, code: /import\.meta\.url/ },
      handler: (code, id) => {
        const compiled = relative(root, id).replace(/\.ts$/, ".js");
        return code.replaceAll("import.meta.url", `__placeOf("${compiled}")`);
      },
    },
    renderChunk: {
      filter: { code: place },
      handler: (code, { fileName }) =>
        code.replace(place, (_, compiled) => {
          const from = posix.relative(dirname(fileName), compiled);
          return `new URL(${JSON.stringify(from)}, import.meta.url).href`;
        }),
    },
  };
}

/** Templates, which are read as they are needed, and the right to run the program. */
function besideTheCode(): Plugin {
  return {
    name: "beside-the-code",
    writeBundle() {
      for (const file of globSync("modules/**/*.hbs", { cwd: root })) cpSync(file, `dist/${file}`);
      chmodSync("dist/engine/cli/bin.js", 0o755);
    },
  };
}

/** The licences of what is built in, as they ask for. */
function licenses(): Plugin {
  return {
    name: "licenses",
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) =>
        file.type === "chunk" ? file.moduleIds : [],
      );
      const folders = modules.flatMap(
        (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? [],
      );
      const source = [...new Set(folders)].sort().map(licenseOf).join("\n");
      this.emitFile({ type: "asset", fileName: "third-party-licenses.txt", source });
    },
  };
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}
