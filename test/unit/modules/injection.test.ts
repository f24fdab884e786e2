import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModuleSpec, ProbeSpec } from "#engine/dsl/module.ts";
import type { Change, Command, Host } from "#engine/index.ts";
import * as modules from "#modules/index.ts";
import { type Case, caseFiles, loadCase, moduleFolders } from "../../support/case-file.ts";
import { caseHost, describeCommand } from "../../support/case-host.ts";
import { specsOf } from "../../support/cases.ts";

// What a shell would act on, around a mark that is looked for in script texts.
const MARK = "mark4711";
const payload = fc
  .array(
    fc.constantFrom(
      "$",
      "`",
      ";",
      "&",
      "|",
      "'",
      '"',
      "\\",
      "(",
      ")",
      "<",
      ">",
      "\n",
      " ",
      "*",
      "-",
      "%",
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((chars) => chars.join(""));
// Harmless ones too: what gets past a strict schema must not become script text either.
const around = fc.oneof(payload, fc.constantFrom("", "a", "-"));
const hostile = fc.tuple(around, around).map(([a, b]) => `${a}${MARK}${b}`);

type Path = readonly (string | number)[];

/** Where strings stand in params: values, and the keys of records too. */
function stringsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value === "string") return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => stringsIn(item, [...path, key]));
}

function replaced(value: unknown, path: Path, text: string): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return text;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >;
  copy[key] = replaced(copy[key], rest, text);
  return copy;
}

const scriptText = ({ argv }: Command): string => {
  const shell = argv.findIndex((part) => /(^|\/)(sh|bash|dash)$/.test(part));
  return shell >= 0 && argv[shell + 1] === "-c" ? (argv[shell + 2] ?? "") : "";
};

const commandsOf = (change: Change): readonly Command[] => {
  if (change.op === "run") return [change.command];
  return change.op === "guarded" ? [change.apply, ...change.verify] : [];
};

/** The case's host, which also answers what the case does not: scripts by name, everything else with nothing and the given code. */
function lenientHost(one: Case, asked: Command[], code: number): Host {
  const known = caseHost(one.host);
  const run: Host["run"] = async (command) => {
    asked.push(command);
    const { script } = describeCommand(command);
    const found = one.host.commands.find(
      (entry) => script !== undefined && entry.script === script,
    );
    return found ?? known.run(command).catch(() => ({ code, stdout: "", stderr: "" }));
  };
  return { ...known, run, text: async (command) => (await run(command)).stdout.trimEnd() };
}

/**
 * Every command that a module runs for these params, as far as it gets: once on a host where every unknown command
 * succeeds, once where it fails, so that both "there" and "not there" are seen.
 */
async function commandsFor(spec: ModuleSpec | ProbeSpec, one: Case, want: Record<string, unknown>) {
  const commands: Command[] = [];
  for (const code of [0, 1])
    try {
      const host = lenientHost(one, commands, code);
      if ("check" in spec) await spec.check(host, want);
      else
        for (const change of spec.diff(await spec.read(host, want), want))
          commands.push(...commandsOf(change));
    } catch (error) {
      // Empty answers and hostile params are refused in many ways: what was run until then counts.
      if (!(error instanceof Error)) throw error;
    }
  return commands;
}

describe("no param becomes script text", () => {
  const specs = specsOf(modules);
  const cases = moduleFolders()
    .flatMap((folder) => caseFiles(folder).map((file) => loadCase(folder, file)))
    .filter(({ module }) => specs.has(module));
  let scripts = 0;

  test.each([...specs.values()])("$name", async (spec) => {
    const targets = cases
      .filter(({ module }) => module === spec.name)
      .flatMap((one) => stringsIn(one.params).map((path) => ({ one, path })));
    if (targets.length === 0) return;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...targets),
        hostile,
        fc.boolean(),
        async (at, text, whole) => {
          const was = at.path.reduce<unknown>((value, key) => (value as never)[key], at.one.params);
          const given = replaced(at.one.params, at.path, whole ? text : `${was}${text}`);
          const want = spec.params.safeParse(given);
          if (!want.success) return;
          for (const command of await commandsFor(spec, at.one, want.data)) {
            if (scriptText(command) !== "") scripts += 1;
            expect(scriptText(command)).not.toContain(MARK);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("the search was not empty", () => {
    expect(scripts).toBeGreaterThan(200);
  });
});
