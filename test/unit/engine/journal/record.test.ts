import { describe, expect, test } from "vitest";
import type { Begun, Entry } from "#engine/journal/format.ts";
import { parseJournal, toLine } from "#engine/journal/read.ts";
import { isSettled, recordOf } from "#engine/journal/record.ts";

const at = 1;
const outlined = (step: string, onChange: Begun["steps"][number]["onChange"] = []) => ({
  step,
  kind: "action" as const,
  module: "file",
  hosts: ["h1", "h2"],
  onChange,
  options: {},
  params: {},
});
const begun = (more: Partial<Begun> = {}): Begun => ({
  type: "begun",
  format: 1,
  at,
  run: "r1",
  engine: "0.1.0",
  playbook: "test",
  sources: {},
  steps: [outlined("a"), outlined("f", [{ step: "a", scope: "each" }])],
  inventory: { hosts: {}, groups: {}, settings: {} },
  asked: { playbook: "test.ts", cwd: "/", params: {}, secretParams: [] },
  by: { pid: 1, started: "boot/1", user: "root", machine: "ops" },
  owed: [],
  doubts: [],
  ...more,
});
const found = (step: string, host = "h1"): Entry => ({
  type: "found",
  at,
  step,
  host,
  changes: [],
});
const intent = (step: string, host = "h1"): Entry => ({
  type: "intent",
  at,
  step,
  host,
  index: 0,
  op: "write",
  say: `write ${step}`,
});
const done = (step: string, host = "h1"): Entry => ({ type: "done", at, step, host, index: 0 });
const ended = (
  step: string,
  outcome: Extract<Entry, { type: "ended" }>["outcome"],
  more: Partial<Extract<Entry, { type: "ended" }>> = {},
): Entry => ({ type: "ended", at, step, host: "h1", outcome, changes: 0, ms: 0, ...more });

const record = (entries: readonly Entry[], more: Partial<Begun> = {}) =>
  recordOf({ begun: begun(more), entries, torn: false });
const doubtsOf = (...given: Parameters<typeof record>) =>
  record(...given).doubts.map(({ step, host }) => `${step} @ ${host}`);
const owedOf = (...given: Parameters<typeof record>) =>
  record(...given).owed.map(({ step, host }) => `${step} @ ${host}`);

describe("a change is in doubt", () => {
  test("from its intent until it was made", () => {
    expect(doubtsOf([found("a"), intent("a")])).toEqual(["a @ h1"]);
    expect(doubtsOf([found("a"), intent("a"), done("a")])).toEqual([]);
  });

  test("also where its node ended over it, but not once a later attempt has read the host", () => {
    expect(doubtsOf([intent("a"), ended("a", "failed", { root: "a" })])).toEqual(["a @ h1"]);
    expect(doubtsOf([intent("a"), found("a")])).toEqual([]);
  });

  test("across resumed runs, until one of them has read the host", () => {
    const doubts = [{ step: "a", host: "h1", at, say: "write a" }];
    expect(doubtsOf([], { doubts })).toEqual(["a @ h1"]);
    expect(doubtsOf([found("a", "h2")], { doubts })).toEqual(["a @ h1"]);
    expect(doubtsOf([found("a")], { doubts })).toEqual([]);
  });
});

describe("what a change sets off is owed", () => {
  test("from the moment the change was begun until it came to its goal", () => {
    expect(owedOf([found("a")])).toEqual([]);
    expect(owedOf([intent("a")])).toEqual(["f @ h1"]);
    const changed = [intent("a"), done("a"), ended("a", "changed")];
    expect(owedOf(changed)).toEqual(["f @ h1"]);
    expect(owedOf([...changed, ended("f", "failed", { root: "f" })])).toEqual(["f @ h1"]);
    expect(owedOf([...changed, ended("f", "skipped", { root: "stopped" })])).toEqual(["f @ h1"]);
    expect(owedOf([...changed, ended("f", "changed")])).toEqual([]);
    expect(owedOf([...changed, ended("f", "ok")])).toEqual([]);
  });

  test("on every host where any host's change sets it off", () => {
    const steps = [outlined("a"), outlined("f", [{ step: "a", scope: "all" }])];
    expect(owedOf([intent("a")], { steps })).toEqual(["f @ h1", "f @ h2"]);
  });

  test("across resumed runs, though the cause changed nothing in the last one", () => {
    const owed = [{ step: "f", host: "h1" }];
    expect(owedOf([ended("a", "ok")], { owed })).toEqual(["f @ h1"]);
    expect(owedOf([ended("a", "ok"), ended("f", "changed")], { owed })).toEqual([]);
  });
});

test("a node is settled once it came to its goal or had nothing to do, and not where a failure kept it from that", () => {
  const settled = (entry: Entry) => record([entry]).nodes.filter(isSettled).length;
  expect(settled(ended("a", "ok"))).toBe(1);
  expect(settled(ended("a", "skipped", { why: "not needed" }))).toBe(1);
  expect(settled(ended("a", "skipped", { root: "the run was stopped" }))).toBe(0);
  expect(settled(found("a"))).toBe(0);
});

describe("a journal's file", () => {
  const lines = [begun(), intent("a"), done("a")].map(toLine);
  const text = lines.join("");

  test("is read as it was written", () => {
    expect(parseJournal(text, "j")).toEqual({
      begun: begun(),
      entries: [intent("a"), done("a")],
      torn: false,
    });
  });

  test("may end in the middle of a line, at any byte", () => {
    for (let size = 0; size <= text.length; size += 1) {
      const read = parseJournal(text.slice(0, size), "j");
      const whole = text.slice(0, size).split("\n").length - 1;
      expect(read?.entries.length ?? -1).toBe(whole - 1);
    }
  });

  test.each([
    ["no JSON", `${lines[0]}{"type":\n${lines[1]}`, /^Line 2 of j is no entry.*no JSON/],
    ["an unknown entry", `${lines[0]}{"type":"x"}\n`, /^Line 2 of j/],
    ["another beginning", lines[1], /^Line 1 of j.*"intent", not "begun"/],
    ["two beginnings", `${lines[0]}${lines[0]}`, /^Line 2 of j.*begins once/],
    ["a newer format", text.replace('"format":1', '"format":9'), /format 9.*reads format 1/],
  ])("that holds %s is refused by its line", (_, broken, says) => {
    expect(() => parseJournal(broken ?? "", "j")).toThrow(says);
  });
});
