import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { knownPlaybooks } from "#engine/cli/find-file.ts";
import * as use from "#modules/index.ts";
import { cli, root } from "../support/cli.ts";
import { type Ended, folder, runProgram } from "../support/program.ts";

// What npm would publish, installed into a folder that knows nothing of this repository.
const playbook = `import { defineInventory, defineModule, playbook } from "run-playbook";
import * as use from "run-playbook/modules";
import { z } from "zod";

const motd = defineModule({
  name: "motd",
  summary: "Keep the message of the day.",
  params: z.strictObject({ text: z.string() }),
  async read(host) {
    return { now: await host.readFile("/etc/motd") };
  },
  *diff() {},
});

const inventory = defineInventory({
  hosts: { a: { address: "2001:db8::1" }, b: { address: "2001:db8::2" } },
  groups: { nodes: ["a", "b"] },
});

export const modules: string[] = Object.keys(use);

export default playbook(
  "mine",
  { inventory, params: z.object({ text: z.string().default("hello") }) },
  ({ step, groups, params }) => {
    step("greeting", { on: groups.nodes, ensure: motd({ text: params.text }) });
  },
);
`;

const npmFlags = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
const packFlags = ["--json", "--loglevel=error", "--ignore-scripts"];
const resources = new AsyncDisposableStack();
let tarball = "";
let installed = "";

beforeAll(async () => {
  const packed = resources.use(await folder({}));
  const { stdout } = await ok(
    // Without a build of its own: other tests run what is built.
    runProgram(["npm", "pack", ...packFlags, `--pack-destination=${packed.path}`], {
      cwd: root,
      seconds: 120,
    }),
  );
  const name = /"filename": "([^"]+)"/.exec(stdout)?.[1] ?? "";
  tarball = join(packed.path, name);
  const project = resources.use(await folder({ "package.json": "{}" }));
  installed = project.path;
  await ok(runProgram(["npm", "install", ...npmFlags, tarball], { cwd: installed, seconds: 240 }));
}, 400_000);

afterAll(() => resources.disposeAsync());

async function ok(running: Promise<Ended>): Promise<Ended> {
  const ended = await running;
  if (ended.code !== 0) throw new Error(`exit ${ended.code}\n${ended.stdout}\n${ended.stderr}`);
  return ended;
}

const bin = () => join(installed, "node_modules/.bin/run-playbook");

test("a playbook in a folder where nothing is installed runs by npx", async () => {
  await using here = await folder({ "mine.ts": playbook });
  const npx = ["npx", "--yes", ...npmFlags, `--package=${tarball}`, "--", "run-playbook"] as const;
  const { code, stdout, stderr } = await runProgram([...npx, "mine.ts", "--list"], {
    cwd: here.path,
    seconds: 240,
  });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("mine: 1 step on 2 hosts");
});

test("a playbook beside an installed package runs, and takes that copy", async () => {
  await writeFile(join(installed, "mine.ts"), playbook);
  const { code, stdout, stderr } = await runProgram([bin(), "mine.ts", "--list"], {
    cwd: installed,
  });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("greeting");
});

test("two copies of the package understand each other", async () => {
  await writeFile(join(installed, "mine.ts"), playbook);
  const { code, stdout, stderr } = await cli(["mine.ts", "--list"], { cwd: installed });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("greeting");
});

test("every playbook of ours can be named from an empty folder", async () => {
  await using here = await folder({});
  for (const name of knownPlaybooks(root)) {
    const { code, stdout, stderr } = await runProgram([bin(), name, "--help"], { cwd: here.path });
    expect([name, code, stderr]).toEqual([name, 0, ""]);
    expect(stdout).toContain(`Usage: run-playbook ${name}`);
  }
});

const everyModule = `import * as use from "run-playbook/modules";
const loaded = Object.values(use).flatMap((it) => it.spec?.name ?? []);
const want = use.aptSource.spec.params.parse({
  name: "debian", uris: ["http://[2001:db8::1]/debian"], suites: ["trixie"],
  components: ["main"], signedBy: "/k.gpg",
});
const nothing = { content: undefined, stat: undefined, lacks: [] };
const [change] = use.aptSource.spec.diff({ source: nothing, key: nothing, keyring: {}, clash: "" }, want);
process.stdout.write(JSON.stringify({ loaded, content: change.content }));
`;

test("every module can be loaded, by its stub, and finds the template beside it", async () => {
  await writeFile(join(installed, "every.mjs"), everyModule);
  const { stdout } = await ok(runProgram([process.execPath, "every.mjs"], { cwd: installed }));
  const { loaded, content } = JSON.parse(stdout);
  const all = Object.values<object>(use).flatMap((it) =>
    "spec" in it ? [(it.spec as { name: string }).name] : [],
  );
  expect(loaded.toSorted()).toEqual(all.toSorted());
  expect(content).toContain("URIs: http://[2001:db8::1]/debian");
});

test("an error in a playbook names the playbook's line, not one of ours", async () => {
  const wrong = playbook.replace(
    "ensure: motd({ text: params.text })",
    "ensure: use.file({ path: 'x' })",
  );
  await writeFile(join(installed, "wrong.ts"), wrong);
  const { code, stderr } = await runProgram([bin(), "wrong.ts", "--list"], { cwd: installed });
  expect(code).toBe(2);
  expect(stderr).toContain(`wrong.ts:${lineOf(wrong, "use.file(")}`);
});

const lineOf = (text: string, part: string): number =>
  text.slice(0, text.indexOf(part)).split("\n").length;

test("the package carries what it promises, and none of its tests", async () => {
  const files = await readdir(join(installed, "node_modules/run-playbook"), { recursive: true });
  expect(files).toEqual(
    expect.arrayContaining([
      "dist/engine/index.d.ts",
      "dist/modules/index.js",
      // Programs that the lab starts by their path.
      "dist/lab/apt-proxy/main.js",
      "dist/lab/delay-line/main.js",
      "dist/lab/delay-line/worker.js",
      "dist/lab/mirror/serve.js",
      "dist/third-party-licenses.txt",
      "LICENSE",
    ]),
  );
  expect(files.filter((file) => file.startsWith("test") || file.startsWith("lab"))).toEqual([]);
  for (const template of await hbs(root)) expect(files).toContain(join("dist", template));
});

const hbs = async (folder: string): Promise<string[]> =>
  (await readdir(join(folder, "modules"), { recursive: true }))
    .filter((file) => file.endsWith(".hbs"))
    .map((file) => join("modules", file));

describe("an editor", () => {
  const tsconfig = JSON.stringify({
    compilerOptions: {
      module: "nodenext",
      target: "es2024",
      strict: true,
      noEmit: true,
      types: [],
    },
    files: ["mine.ts"],
  });

  test.each([
    ["sees nothing wrong in a right playbook", playbook, undefined],
    [
      "sees a param that does not exist",
      playbook.replace("{ text: params.text }", "{ txt: params.text }"),
      "'txt' does not exist",
    ],
    [
      "sees a group that does not exist",
      playbook.replace("groups.nodes", "groups.workers"),
      "'workers' does not exist",
    ],
  ])("%s", async (_, text, wrong) => {
    await writeFile(join(installed, "mine.ts"), text);
    await writeFile(join(installed, "tsconfig.json"), tsconfig);
    const { code, stdout } = await runProgram([join(root, "node_modules/.bin/tsc"), "-p", "."], {
      cwd: installed,
    });
    if (wrong === undefined) expect([stdout, code]).toEqual(["", 0]);
    else expect(stdout).toContain(wrong);
  });
});

test("the first file is read by a Node of years ago: it imports nothing new before it looked", async () => {
  const text = await readFile(
    join(installed, "node_modules/run-playbook/dist/engine/cli/bin.js"),
    "utf8",
  );
  const imports = Array.from(text.matchAll(/^import .* from "([^"]+)"/gm), ([, from]) => from);
  expect(imports.every((from) => from?.startsWith("node:"))).toBe(true);
  expect(text.split("\n")[0]).toBe("#!/usr/bin/env node");
});
