import { expect, test } from "vitest";
import type { ModuleSpec } from "#engine/dsl/module.ts";
import { type Change, isSecret, Secret } from "#engine/index.ts";
import * as modules from "#modules/index.ts";
import { type Case, caseFiles, loadCase, moduleFolders } from "../../support/case-file.ts";
import { caseHost } from "../../support/case-host.ts";
import { specsOf } from "../../support/cases.ts";
import { leavesOf } from "../../support/schema-leaves.ts";

const isModule = (spec: object): spec is ModuleSpec => "diff" in spec;
const specs = [...specsOf(modules).values()].filter(isModule);
const cases = moduleFolders().flatMap((folder) =>
  caseFiles(folder).map((file) => loadCase(folder, file)),
);
/** Of the forms that secrets have: anything, a join token, a certificate key. */
const SECRETS = ["planted secret", "plantd.0123456789abcdef", "5ec4e7".padEnd(64, "0")];

async function changesOf(spec: ModuleSpec, one: Case, params: unknown): Promise<Change[]> {
  const want = spec.params.parse(params);
  try {
    return [...spec.diff(await spec.read(caseHost(one.host), want), want)];
  } catch {
    // A case's host answers only what the case asks.
    return [];
  }
}

const writes = (changes: readonly Change[]): (Change & { op: "write" })[] =>
  changes.flatMap((change) => {
    if (change.op === "guarded") return writes(change.files);
    return change.op === "write" ? [change] : [];
  });

let secretFiles = 0;

test.each(specs)(
  "$name: a file with a secret is its owner's alone, unless a mode is given",
  async (spec) => {
    for (const leaf of leavesOf(spec.params))
      for (const one of cases.filter(({ module, error }) => module === spec.name && !error)) {
        const { mode: _, ...bare } = one.params;
        for (const text of SECRETS) {
          const params = leaf.put(bare, new Secret(text));
          if (!spec.params.safeParse(params).success) continue;
          for (const { content, attributes, path } of writes(await changesOf(spec, one, params))) {
            if (!isSecret(content)) continue;
            secretFiles += 1;
            expect((attributes.mode ?? 0o777) & 0o077, `${leaf.path}: ${path}`).toBe(0);
          }
        }
      }
  },
);

test("some modules write secrets to files, so this looked at something", () => {
  expect(secretFiles).toBeGreaterThan(1);
});

test("a mode that is given is taken, and text is for everybody", async () => {
  const { spec } = modules.file;
  const one = { host: { name: "h1", files: {}, commands: [], facts: {} } } as never;
  const modeOf = async (params: object) =>
    writes(await changesOf(spec, one, { path: "/etc/x", ...params }))[0]?.attributes.mode;
  expect(await modeOf({ content: new Secret("hunter2hunter2"), mode: 0o640 })).toBe(0o640);
  expect(await modeOf({ content: new Secret("hunter2hunter2") })).toBe(0o600);
  expect(await modeOf({ content: "no secret" })).toBe(0o644);
});
