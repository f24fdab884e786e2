import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModuleSpec, ProbeSpec } from "#engine/dsl/module.ts";
import * as modules from "#modules/index.ts";
import { type Case, caseFiles, loadCase, moduleFolders } from "../../support/case-file.ts";
import { specsOf } from "../../support/cases.ts";
import { Exercise } from "../../support/exercise.ts";
import { hostileTexts, isMarked, isTorn, PWNED } from "../../support/hostile-text.ts";
import { canUnshare, Sandbox, type Started } from "../../support/sandbox.ts";
import { type Leaf, leavesOf, SPECIMENS } from "../../support/schema-leaves.ts";

type Spec = ModuleSpec | ProbeSpec;
type Params = Record<string, unknown>;

const specs = [...specsOf(modules).values()].filter(({ params }) => leavesOf(params).length > 0);
const cases = moduleFolders().flatMap((folder) =>
  caseFiles(folder).map((file) => loadCase(folder, file)),
);

// Every word that could be the name of a program.
const words = readdirSync("modules", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .flatMap((path) => readFileSync(`modules/${path}`, "utf8").match(/\b[a-z][a-z0-9-]+\b/g) ?? []);

// These take programs and arguments as they are given: that they are options, too, is what is asked for.
const ARGV = /^(argv|unless|until)\[1\]$/;

let sandbox: Sandbox;
let exercise: Exercise;

beforeAll(() => {
  sandbox = new Sandbox([PWNED, ...words]);
  exercise = new Exercise(sandbox);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** A value that begins with a dash is no option where `--`, or an option that wants a value, stands before it. */
function asOption([program, ...args]: Started, text: string): boolean {
  if (SHELLS.includes(program)) return false;
  const at = args.findIndex((argument) => argument.startsWith("-") && argument.includes(text));
  return at >= 0 && !args.slice(0, at).includes("--") && args[at - 1]?.startsWith("-") !== true;
}
// What comes after their own arguments is somebody else's.
const SHELLS = ["sh", "bash", "setsid", "env", "timeout", "printf", "echo", "["];

/** What went wrong with a text on its way to the programs that were started. */
function faultsOf(text: string, leaf: Leaf): string[] {
  return sandbox.started().flatMap((started) => {
    const [program, ...args] = started;
    if (program === PWNED) return "it was run as a program";
    const torn = args.find((argument) => isTorn(argument, text));
    if (torn !== undefined) return `${program} was given a part of it: ${JSON.stringify(torn)}`;
    const code = program === "sh" && args[0] === "-c" ? (args[1] ?? "") : "";
    if (isMarked(code)) return `it became text of a script: ${code}`;
    if (text.startsWith("-") && !ARGV.test(leaf.path) && asOption(started, text))
      return `it became an option: ${JSON.stringify(started)}`;
    return [];
  });
}

async function faultsAt(spec: Spec, leaf: Leaf): Promise<string[]> {
  const own = cases.filter(({ module }) => module === spec.name);
  const takes = (text: string) => {
    const seen = new Map<string, boolean>();
    return ({ params }: Case): boolean => {
      const key = JSON.stringify(params);
      const taken = seen.get(key) ?? spec.params.safeParse(leaf.put(params, text)).success;
      seen.set(key, taken);
      return taken;
    };
  };
  const usual = [...SPECIMENS, ...new Set(own.flatMap(({ params }) => textsIn(params)))];
  const texts = hostileTexts(leaf, usual, (text) => own.some(takes(text)));
  if (texts.length === 0) return [`${leaf.path}: no text is known that it takes`];
  const faults: string[] = [];
  for (const [index, text] of texts.entries()) {
    const taking = own.filter(takes(text));
    const one = taking[index % taking.length] as Case;
    const params = spec.params.parse(leaf.put(one.params, text)) as Params;
    const thrown = await exercise.all(spec, one, params);
    for (const fault of new Set([...thrown, ...faultsOf(text, leaf)]))
      faults.push(`${leaf.path} = ${JSON.stringify(text)}: ${fault}`);
    sandbox.clear();
  }
  return faults;
}

const textsIn = (value: unknown): string[] => {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]);
};

describe.skipIf(!canUnshare())("params are data to a real shell, whatever they hold", () => {
  test.each(specs)("$name", async (spec) => {
    const faults: string[] = [];
    for (const leaf of leavesOf(spec.params)) faults.push(...(await faultsAt(spec, leaf)));
    expect(faults).toEqual([]);
  });

  test("and an injected command would have been seen", async () => {
    await sandbox.connection.run({ argv: ["sh", "-c", `echo "$(${PWNED} x)"; kubectl -x`] });
    const started = sandbox.started();
    expect(started).toContainEqual([PWNED, "x"]);
    expect(started.some((one) => asOption(one, "-x"))).toBe(true);
  });
});
