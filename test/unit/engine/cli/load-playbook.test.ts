import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { loadModule } from "#engine/cli/load-module.ts";
import { cli } from "../../../support/cli.ts";
import { folder } from "../../../support/program.ts";

// Each starts the real command line, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const good = `import { defineInventory, playbook } from "run-playbook";
const inventory = defineInventory({ hosts: { a: { address: "2001:db8::1" } }, groups: { all: ["a"] } });
export default playbook("mine", { inventory, summary: "Does nothing." }, () => {});
`;

test("a playbook is found as given, without .ts, and under playbooks/", async () => {
  await using here = await folder({ "mine.ts": good, "playbooks/yours.ts": good });
  for (const name of ["mine.ts", "mine", "./mine.ts", "yours.ts", "yours"]) {
    const { code, stdout, stderr } = await cli([name, "--help"], { cwd: here.path });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("mine: Does nothing.");
  }
});

test.each([
  ["no package.json", {}],
  ['"type": "commonjs", as npm init writes it', { "package.json": '{ "type": "commonjs" }' }],
  ['"type": "module"', { "package.json": '{ "type": "module" }' }],
])("a playbook is a module in a folder with %s", async (_, files) => {
  await using here = await folder({ "mine.ts": good, ...files });
  const ended = await cli(["mine.ts", "--help"], { cwd: here.path });
  expect(ended).toMatchObject({ code: 0, stderr: "" });
});

test("a missing playbook: where it was looked for, and what may have been meant", async () => {
  await using here = await folder({ "playbooks/bootstrap.ts": good });
  const { code, stderr } = await cli(["bootstrp.ts"], { cwd: here.path });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^PB_PLAYBOOK_MISSING/);
  expect(stderr).toContain("looked at bootstrp.ts, playbooks/");
  expect(stderr).toContain("hint: Did you mean bootstrap.ts?");
});

test.each([
  {
    what: "throws while it is loaded",
    text: '\nconst limit = (): never => { throw new RangeError("too far"); };\nlimit();\nexport {};\n',
    says: ["PB_PLAYBOOK_THREW (mine.ts:2)", "too far"],
  },
  {
    what: "throws something that is no error",
    text: 'throw "text"; export {};\n',
    says: ["PB_PLAYBOOK_THREW (mine.ts)", "text"],
  },
  {
    what: "exports nothing",
    text: "export {};\n",
    says: ["PB_PLAYBOOK_INVALID (mine.ts)", "it exports nothing"],
  },
  {
    what: "exports the wrong kind",
    text: "export default 42;\n",
    says: ["PB_PLAYBOOK_INVALID (mine.ts)", "a number of another kind"],
  },
  {
    what: "exports its playbook by name",
    text: good.replace("export default", "export const mine ="),
    says: ["PB_PLAYBOOK_INVALID (mine.ts)", 'exported as "mine", not as default'],
  },
  {
    what: "exports an inventory",
    text: good.replace(/export default.*/, "export default inventory;"),
    says: ["PB_PLAYBOOK_INVALID (mine.ts)", "is an inventory"],
  },
  {
    what: "has an enum",
    text: "export const a = 1;\nenum Colour { Red }\n",
    says: [
      "PB_PLAYBOOK_SYNTAX (mine.ts:2)",
      "enum is not supported",
      "| enum Colour { Red }",
      "const objects",
    ],
  },
  {
    what: "is no TypeScript",
    text: "export const a: = 1;\n",
    says: ["PB_PLAYBOOK_SYNTAX (mine.ts:1)", "| export const a: = 1;"],
  },
  {
    what: "imports a package that is not installed",
    text: 'import "left-pad-of-nobody";\n',
    says: ["PB_PLAYBOOK_THREW (mine.ts)", "npm install left-pad-of-nobody"],
  },
  {
    what: "imports a file that is not there",
    text: 'import "./gone.ts";\n',
    says: ["PB_PLAYBOOK_THREW (mine.ts)", "gone.ts", "relative to the file"],
  },
  {
    what: "imports a name that does not exist",
    text: 'import { playbok } from "run-playbook";\nexport default playbok;\n',
    says: ["PB_PLAYBOOK_SYNTAX (mine.ts:1)", "playbok", "spelling"],
  },
])("a playbook that $what", async ({ text, says }) => {
  await using here = await folder({ "mine.ts": text });
  const { code, stdout, stderr } = await cli(["mine.ts"], { cwd: here.path });
  expect([code, stdout]).toEqual([2, ""]);
  for (const part of says) expect(stderr).toContain(part);
  expect(stderr).not.toContain("Warning:");
});

test("a mistake in a file that the playbook imports names that file", async () => {
  await using here = await folder({
    "mine.ts": `import "./lib/part.ts";\n${good}`,
    "lib/part.ts": "\n\nundefinedThing.call();\n",
  });
  const { stderr } = await cli(["mine.ts"], { cwd: here.path });
  expect(stderr).toContain("PB_PLAYBOOK_THREW (lib/part.ts:3)");
});

test("a playbook that never finishes loading is given up with the reason", async () => {
  await using here = await folder({ "stuck.mjs": "await new Promise(() => {});\n" });
  await expect(
    loadModule(join(here.path, "stuck.mjs"), { cwd: here.path, seconds: 0.2 }),
  ).rejects.toMatchObject({ code: "PB_PLAYBOOK_STUCK", context: { at: "stuck.mjs" } });
});
