import { describe, expect, test } from "vitest";
import type { ModuleSpec, ProbeSpec } from "#engine/dsl/module.ts";
import { parseFacts } from "#engine/host/facts.ts";
import type { Host, RunResult } from "#engine/index.ts";
import { printable } from "#engine/report/text.ts";
import * as modules from "#modules/index.ts";
import { type Case, caseFiles, loadCase, moduleFolders } from "../../support/case-file.ts";
import { caseHost, describeCommand } from "../../support/case-host.ts";
import { specsOf } from "../../support/cases.ts";
import { caught } from "../../support/caught.ts";

/**
 * Characters of a hostile answer. What takes time in the square of it is seen at this length already, where it still
 * ends; at the 16 MiB that a host may answer it would not.
 */
const LENGTH = 40_000;
/** Ms of CPU that a linear look at it stays far below. */
const LIMIT = 1000;

const specs = [...specsOf(modules).values()];
const cases = moduleFolders().flatMap((folder) =>
  caseFiles(folder).map((file) => loadCase(folder, file)),
);

const fill = (part: string) => part.repeat(Math.ceil(LENGTH / Math.max(1, part.length)));

/** Long answers made of what a true one looks like: what gets far into a pattern, and then does not fit. */
function grown(text: string): string[] {
  const lines = [...new Set(text.split("\n"))].filter(Boolean).slice(0, 6);
  const marks = [...new Set(text.replace(/[a-z0-9]/gi, ""))].slice(0, 12);
  const words = [...new Set(text.match(/\w+/g))].slice(0, 4);
  const parts = [
    ...lines,
    ...lines.map((line) => line.slice(0, Math.ceil(line.length / 2))),
    ...marks,
    ...marks.flatMap((mark) => words.slice(0, 2).map((word) => `${word}${mark}`)),
    ...words,
    "a",
    "0",
    " ",
    "a ",
    "a:",
  ];
  return [...new Set(parts)].flatMap((part) => {
    const long = fill(part);
    const [first = ""] = lines;
    return [long, `${long}\r`, `${first}${long}\u2028`, `${long}\n`];
  });
}

/** The case's host, but for one answer. */
function withAnswer(one: Case, which: string, text: string): Host {
  const known = caseHost(one.host);
  const lie = (key: string): RunResult | undefined =>
    key === which ? { code: 0, stdout: text, stderr: text } : undefined;
  const run: Host["run"] = async (command) =>
    lie(JSON.stringify(describeCommand(command))) ??
    known.run(command).catch(() => ({ code: 1, stdout: text, stderr: text }));
  return {
    ...known,
    run,
    text: async (command) => (await run(command)).stdout.replace(/\n$/, ""),
    readFile: async (path) => (path === which ? text : known.readFile(path)),
  };
}

/** What a module asks of the case's host, and what it is told. */
async function asked(spec: ModuleSpec | ProbeSpec, one: Case): Promise<Map<string, string>> {
  const answers = new Map<string, string>();
  const known = caseHost(one.host);
  const run: Host["run"] = async (command) => {
    const answer = await known.run(command).catch(() => ({ code: 1, stdout: "", stderr: "" }));
    answers.set(JSON.stringify(describeCommand(command)), `${answer.stdout}\n${answer.stderr}`);
    return answer;
  };
  const host: Host = {
    ...known,
    run,
    text: async (command) => (await run(command)).stdout.replace(/\n$/, ""),
    readFile: async (path) => {
      const content = await known.readFile(path);
      answers.set(path, content ?? "");
      return content;
    },
  };
  await look(spec, one, host);
  return answers;
}

/** Nonsense may be refused, with an error of the catalogue: anything else would be told as a mistake in the module. */
async function look(
  spec: ModuleSpec | ProbeSpec,
  one: Case,
  host: Host,
): Promise<string | undefined> {
  const want = spec.params.parse(one.params);
  try {
    if ("check" in spec) await spec.check(host, want);
    else for (const change of spec.diff(await spec.read(host, want), want)) void change;
    return undefined;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code?.startsWith("PB_") || message.includes(" in the case")) return undefined;
    return String(error).slice(0, 150);
  }
}

/** Ms of the quicker of two: what is slow by itself is slow each time. */
/** Of this process; what others do on the machine meanwhile does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function quickest(act: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 2 && (times[0] ?? LIMIT + 1) > LIMIT; turn++) {
    const began = cpuMs();
    await act();
    times.push(Math.round(cpuMs() - began));
  }
  return Math.min(...times);
}

async function faultsOf(spec: ModuleSpec | ProbeSpec): Promise<string[]> {
  const faults: string[] = [];
  const own = cases.filter(
    ({ module, params }) => module === spec.name && spec.params.safeParse(params).success,
  );
  const seen = new Set<string>();
  for (const one of own.slice(0, 6))
    for (const [which, truth] of await asked(spec, one)) {
      if (seen.has(`${which}${truth}`)) continue;
      seen.add(`${which}${truth}`);
      for (const text of grown(truth)) {
        const host = withAnswer(one, which, text);
        const thrown = await look(spec, one, host);
        const ms = await quickest(() => look(spec, one, host));
        const about = `${which}: ${JSON.stringify(text.slice(0, 60))}…`;
        if (ms > LIMIT) faults.push(`${ms} ms: ${about}`);
        if (thrown !== undefined) faults.push(`${thrown}: ${about}`);
      }
    }
  return faults.slice(0, 5);
}

describe("an endless answer neither keeps this machine busy nor looks like a mistake of ours", () => {
  test.each(specs)("$name", async (spec) => {
    expect(await faultsOf(spec)).toEqual([]);
  });

  test("facts", () => {
    const truth = "uname Linux w1 6.12.0 x86_64\nboot 5f0c6a5e\nmemory 4194304\nID='debian'\n";
    const began = cpuMs();
    const texts = grown(truth);
    for (const text of texts) expect(caught(() => parseFacts(text)).code).toBe("PB_FACTS_INVALID");
    expect(cpuMs() - began).toBeLessThan(texts.length * 50);
  });

  test("what is printed", () => {
    const truth = "\x1b[31m \x1b]0;a;b\x07 \x1b]8;;https://a/?b=c#d\x1b\\ \x9b1;2;3m \u202e\n";
    const began = cpuMs();
    const texts = [...grown(truth), fill("\x1b"), fill("\x1b]"), fill("\x1b[0;"), fill(";a")];
    for (const text of texts) printable(`\x1b]${text}`);
    expect(cpuMs() - began).toBeLessThan(texts.length * 50);
  });
});
