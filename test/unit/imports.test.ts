import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

// The edges that docs/architecture.md draws. A folder may import from itself and from what is listed; nothing else.
const allowed: Record<string, readonly string[]> = {
  "engine/errors": [],
  "engine/graph": [],
  "engine/net": ["engine/errors"],
  "engine/template": ["engine/dsl", "engine/errors"],
  "engine/dsl": ["engine/errors", "engine/host/types"],
  "engine/host": ["engine/dsl", "engine/errors", "engine/net"],
  "engine/plan": ["engine/dsl", "engine/errors", "engine/graph", "engine/host/types", "engine/net"],
  "engine/report": ["engine/errors", "engine/dsl"],
  "engine/converge": ["engine/dsl", "engine/errors", "engine/host", "engine/plan", "engine/report"],
  "engine/lock": ["engine/converge", "engine/errors", "engine/host"],
  "engine/run": [
    "engine/converge",
    "engine/dsl",
    "engine/errors",
    "engine/graph",
    "engine/host",
    "engine/lock",
    "engine/plan",
    "engine/report",
  ],
  "engine/journal": [
    "engine/converge",
    "engine/dsl",
    "engine/errors",
    "engine/host",
    "engine/plan",
    "engine/report",
    "engine/run",
  ],
  "engine/plan-file": [
    "engine/converge",
    "engine/dsl",
    "engine/errors",
    "engine/graph",
    "engine/host",
    "engine/plan",
    "engine/report",
    "engine/run",
  ],
  "engine/window": ["engine/converge", "engine/dsl", "engine/errors"],
  "engine/cli": ["engine", "lab"],
  modules: ["engine/index", "engine/net", "engine/template"],
  lab: ["engine/errors", "engine/dsl", "engine/host", "engine/net"],
};

// Contracts without code that reaches a host: what dsl and plan may know of engine/host.
const hostTypes = ["engine/host/command.ts", "engine/host/connection.ts", "engine/host/host.ts"];

const importsOf = (file: string): string[] =>
  Array.from(
    readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"((?:\.|#)[^"]+)"/g),
    ([, path = ""]) =>
      path.startsWith("#") ? path.slice(1) : normalize(join(dirname(file), path)),
  );

const folderOf = (file: string): string => {
  const [top = "", second = ""] = file.split("/");
  return top === "engine" && second.includes(".ts") === false ? `${top}/${second}` : top;
};

const permits = (rule: string, target: string): boolean =>
  rule === "engine/host/types"
    ? hostTypes.includes(target)
    : rule === "engine/index"
      ? target === "engine/index.ts"
      : target.startsWith(`${rule}/`);

test("every import follows an edge of the architecture", () => {
  const broken = globSync("{engine,modules,lab}/**/*.ts").flatMap((file) => {
    const from = folderOf(file);
    const rules = [from, ...(allowed[from] ?? [])];
    if (file === "engine/index.ts") return [];
    return importsOf(file)
      .filter((target) => !rules.some((rule) => permits(rule, target)))
      .map((target) => `${file} → ${target}`);
  });
  expect(broken).toEqual([]);
});

test("the graph knows nothing but itself", () => {
  const outside = globSync("engine/graph/**/*.ts").flatMap((file) =>
    importsOf(file).filter((target) => !target.startsWith("engine/graph/")),
  );
  expect(outside).toEqual([]);
});
