import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { ModuleSpec } from "#engine/dsl/module.ts";
import type { Change } from "#engine/index.ts";
import * as modules from "#modules/index.ts";
import { recordOf } from "#modules/remote-file/place.ts";
import { type Case, caseFiles, loadCase, moduleFolders } from "../../support/case-file.ts";
import { caseHost } from "../../support/case-host.ts";
import { specsOf } from "../../support/cases.ts";
import { type Leaf, leavesOf } from "../../support/schema-leaves.ts";

/** Names that a careless writer takes for one another. */
const NAMES = [
  "a",
  "A",
  "a.b",
  "a-b",
  "a_b",
  "a+b",
  "a@b",
  "a:b",
  "a%b",
  "a%2Eb",
  "a\\x2db",
  "a/b",
];
const MORE = [
  "a--b",
  "a..b",
  "a.b.",
  "a.b-",
  "-a",
  ".a",
  "a.",
  "b",
  "ab",
  "a.service",
  "a b",
  "a~",
];
const SHAPES: ((name: string) => string)[] = [
  (name) => name,
  (name) => `${name}.service`,
  (name) => `/srv/${name}`,
  (name) => `registry.example/${name}`,
];

const isModule = (spec: object): spec is ModuleSpec => "diff" in spec;
const specs = [...specsOf(modules).values()].filter(isModule);
const cases = moduleFolders().flatMap((folder) =>
  caseFiles(folder).map((file) => loadCase(folder, file)),
);

const pathsIn = (change: Change): string[] => {
  if (change.op === "guarded") return change.files.flatMap(pathsIn);
  return change.op === "write" ? [change.path] : [];
};

async function pathsOf(spec: ModuleSpec, one: Case, params: unknown): Promise<string[]> {
  const want = spec.params.parse(params);
  try {
    return [...spec.diff(await spec.read(caseHost(one.host), want), want)].flatMap(pathsIn);
  } catch {
    // A case's host answers only what the case asks.
    return [];
  }
}

/** The names, each with the files that are written for it and for no other reason. */
async function filesOf(spec: ModuleSpec, one: Case, leaf: Leaf): Promise<Map<string, string[]>> {
  const files = new Map<string, string[]>();
  for (const shape of SHAPES)
    for (const name of [...NAMES, ...MORE].map(shape)) {
      const params = leaf.put(one.params, name);
      if (!spec.params.safeParse(params).success) continue;
      const paths = await pathsOf(spec, one, params);
      if (paths.length > 0) files.set(name, paths);
    }
  const all = [...files.values()];
  return new Map(
    [...files].map(([name, paths]) => [
      name,
      paths.filter((path) => !all.every((others) => others.includes(path))),
    ]),
  );
}

let named = 0;
afterAll(() => {
  process.stderr.write(`# names that become names of files: ${named}\n`);
});

test.each(specs)("$name: no two names are one file", async (spec) => {
  for (const leaf of leavesOf(spec.params))
    for (const one of cases.filter(({ module, error }) => module === spec.name && !error)) {
      const owners = new Map<string, string>();
      for (const [name, paths] of await filesOf(spec, one, leaf))
        for (const path of paths) {
          expect(owners.get(path) ?? name, `${leaf.path}: ${path}`).toBe(name);
          owners.set(path, name);
          named += 1;
        }
    }
});

test("some names become files, so this looked at something", () => {
  expect(named).toBeGreaterThan(50);
});

const part = fc.string({ unit: fc.constantFrom(..."ab-_.%+/2D"), minLength: 1, maxLength: 8 });
const archive = fc.record({
  path: part.map((text) => `/${text}`),
  name: fc.stringMatching(/^[ab_.-]{1,4}$/),
});

test("remote-file: no two archives have one record", () => {
  const place = (path: string) => path.split("/").filter(Boolean).join("/");
  const record = (want: object) => recordOf(want as Parameters<typeof recordOf>[0]);
  fc.assert(
    fc.property(archive, archive, (one, other) => {
      const same = place(one.path) === place(other.path) && one.name === other.name;
      expect(record(one) === record(other)).toBe(same);
    }),
    { numRuns: 20_000, seed: 2026 },
  );
  expect(record({ path: "/srv/a-b", name: "x" })).not.toBe(record({ path: "/srv/a/b", name: "x" }));
  expect(record({ path: "/srv/a", name: "php8.1" })).not.toBe(
    record({ path: "/srv/a", name: "php8.2" }),
  );
});
