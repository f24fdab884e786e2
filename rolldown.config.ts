/**
 * What the package ships: the engine, the modules and the lab in a few files. Finding, reading and linking five hundred
 * small ones took most of the time between the command line and the first connection.
 */
import { chmodSync, cpSync, globSync } from "node:fs";
import { dirname, posix, relative } from "node:path";
import { defineConfig, type Plugin } from "rolldown";
import { lateModules } from "./bundle/late-modules.ts";
import { licenses } from "./bundle/licenses.ts";

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
    plugins: [lateModules(root), placesOfModules(), besideTheCode(), licenses()],
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
