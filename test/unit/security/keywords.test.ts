import { isDeepStrictEqual } from "node:util";
import { afterAll, expect, test } from "vitest";
import type { ModuleSpec } from "#engine/dsl/module.ts";
import type { Change } from "#engine/index.ts";
import * as modules from "#modules/index.ts";
import { type Case, caseFiles, loadCase, moduleFolders } from "../../support/case-file.ts";
import { asText, caseHost } from "../../support/case-host.ts";
import { specsOf } from "../../support/cases.ts";
import { readBack, type Written } from "../../support/read-back.ts";
import { leavesOf } from "../../support/schema-leaves.ts";

/** What some reader takes for a keyword, a number, a comment, a mark, an escape or the end of something. */
const HOSTILE = [
  ...[
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "true",
    "false",
    "null",
    "~",
    "ALL",
    "all",
    "none",
    "default",
  ],
  ...[
    "1",
    "0x10",
    "010",
    "1e3",
    "1_000",
    "0b1",
    ".5",
    "12:30",
    "12:30:45",
    ".inf",
    ".nan",
    "2026-12-01",
  ],
  ...[
    "#a",
    "a #b",
    ";a",
    "%i",
    "a%n",
    "%%",
    "$A",
    "a$A",
    "\\",
    "a\\",
    "a\\nb",
    "'",
    '"',
    'a"b',
    "a'b",
  ],
  ...[
    "-",
    "-a",
    "--a",
    "- a",
    "*",
    "a*",
    "?",
    "[a]",
    "{a}",
    "a: b",
    "a:",
    ":a",
    "&a",
    "*a",
    "!a",
    "|",
    ">",
  ],
  ...[
    "@a",
    "`a",
    "a b",
    " a",
    "a ",
    "a,b",
    "a=b",
    "=",
    "<<",
    "---",
    "...",
    "a\nb",
    "a\rb",
    "a\0b",
    "é",
  ],
];
const MARK = "m4rk";

/** Around them, what some places want. */
const SHAPES: ((text: string) => string)[] = [
  (text) => text,
  (text) => `/srv/${text}`,
  (text) => `${text}.service`,
  (text) => `net.ipv4.${text}`,
  (text) => `${text}.example.net`,
  (text) => `/etc/netplan/${text}.yaml`,
  (text) => `/etc/sysctl.d/${text}.conf`,
  (text) => `https://example.net/${text}`,
  (text) => `https://${text}/`,
  (text) => `registry.example/${text}:1`,
  (text) => `default/${text}`,
];

/** Params that are text in a language of its own. */
const WHOLE_TEXTS: ReadonlySet<string> = new Set([
  ...["file content", "systemd-unit content", "apt-source key", "command stdin"],
  ...["template text", "template values.<key>", "template values.*"],
]);

/** Blanks around a value of the kernel's mean nothing, to it and to the module. */
const BLANKS_COUNT_NOT = "sysctl values.*";

const isModule = (spec: object): spec is ModuleSpec => "diff" in spec;
const specs = [...specsOf(modules).values()].filter(isModule);
const cases = moduleFolders().flatMap((folder) =>
  caseFiles(folder).map((file) => loadCase(folder, file)),
);

async function writtenBy(spec: ModuleSpec, one: Case, params: unknown): Promise<Written[]> {
  const want = spec.params.parse(params);
  try {
    return [...spec.diff(await spec.read(caseHost(one.host), want), want)].flatMap(written);
  } catch {
    // A case's host answers only what the case asks; and what is refused here is written nowhere.
    return [];
  }
}

function written(change: Change): Written[] {
  if (change.op === "guarded") return change.files.flatMap(written);
  if (change.op === "write") return [{ path: change.path, text: asText(change.content) }];
  if (change.op !== "run" || change.command.stdin === undefined) return [];
  return [{ path: "", text: asText(change.command.stdin) }];
}

/** Names of files may be made of the mark as well. */
const valuesOf = (texts: readonly Written[]): unknown[] =>
  texts.flatMap((one) => readBack(one) ?? []);

const sorted = (values: readonly unknown[]) =>
  values.map((value) => JSON.stringify([typeof value, value]).toLowerCase()).toSorted();

/** What the readers find in place of the text. */
function difference(texts: readonly Written[], usual: readonly Written[], text: string) {
  try {
    const wanted = sorted(
      valuesOf(usual).map((value) =>
        typeof value === "string" ? value.replaceAll(MARK, () => text) : value,
      ),
    );
    const found = sorted(valuesOf(texts));
    if (isDeepStrictEqual(found, wanted)) return undefined;
    const more = found.filter((one) => !wanted.includes(one));
    return `${more} in place of ${wanted.filter((one) => !found.includes(one))}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const counts = { read: 0, refused: 0 };
afterAll(() => {
  process.stderr.write(`# hostile values: ${JSON.stringify(counts)}\n`);
});

test.each(specs)(
  "$name: a value is refused, or its reader reads it back as that text",
  { timeout: 240_000 },
  async (spec) => {
    const faults = new Set<string>();
    for (const leaf of leavesOf(spec.params)) {
      const told = new Set<string>();
      const place = `${spec.name} ${leaf.path}`;
      if (WHOLE_TEXTS.has(place)) continue;
      for (const one of cases.filter(({ module, error }) => module === spec.name && !error))
        for (const shape of SHAPES) {
          const takes = (text: string) =>
            spec.params.safeParse(leaf.put(one.params, shape(text))).success;
          if (!takes(MARK)) continue;
          const usual = await writtenBy(spec, one, leaf.put(one.params, shape(MARK)));
          // Each file that the place gets into is read once, with the barest of the shapes.
          const files = usual.filter(({ text }) => text.includes(MARK)).map(({ path }) => path);
          const key = files.join(" ");
          if (files.length === 0 || told.has(key)) continue;
          told.add(key);
          for (const text of HOSTILE) {
            if (place === BLANKS_COUNT_NOT && text !== text.trim()) continue;
            if (!takes(text)) {
              counts.refused += 1;
              continue;
            }
            const texts = await writtenBy(spec, one, leaf.put(one.params, shape(text)));
            if (texts.length === 0) continue;
            counts.read += 1;
            const fault = difference(texts, usual, text);
            if (fault !== undefined)
              faults.add(`${place} = ${JSON.stringify(shape(text))}: ${fault}`);
          }
        }
    }
    expect([...faults]).toEqual([]);
  },
);

test("hostile values were taken, and refused, so this looked at something", () => {
  expect(counts.read).toBeGreaterThan(100);
  expect(counts.refused).toBeGreaterThan(100);
});
