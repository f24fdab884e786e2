import { Writable } from "node:stream";
import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { showChange } from "#engine/converge/shown-change.ts";
import { writeFile } from "#engine/dsl/change.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import { changeLines } from "#engine/report/changes.ts";
import { diffLines } from "#engine/report/diff.ts";
import type { RunEvent } from "#engine/report/event.ts";
import { failureText } from "#engine/report/failures.ts";
import { JsonRenderer } from "#engine/report/json.ts";
import { LinesRenderer } from "#engine/report/lines.ts";
import { RunModel } from "#engine/report/model.ts";
import { describeError, printError } from "#engine/report/print.ts";
import { recapLines } from "#engine/report/recap.ts";
import type { Renderer, RenderOptions } from "#engine/report/renderer.ts";
import { layout } from "#engine/report/tree-layout.ts";
import { paint } from "#engine/report/tree-paint.ts";
import { showError } from "#engine/run/shown-error.ts";
import { Script } from "../engine/report/script.ts";

/** What drives a terminal: each in both of its forms, and what hides or reorders text. */
const DRIVERS = [
  "\x1b[2J\x1b[999;999H", // clear, go away
  "\x1b[31;1m",
  "\x1b]0;title\x07",
  "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
  "\x1b]52;c;cm0gLXJmIC8=\x07", // the clipboard
  "\x1bP+q544e\x1b\\",
  "\x1b_application\x1b\\",
  "\x1b^private\x1b\\",
  "\x1bc", // reset
  "\x9b31m\x9d0;title\x9c\x90x\x9c",
  "\x1b\x1b[31m[31m", // one inside the other
  "\x1b[6n\x1b[c\x05", // asks the terminal to type an answer
  "\x08\x08\x08\x7f\x07\x00",
  "safe\rfake: all ok",
  "\u202egnp.exe\u202c\u2066\u061c\u200b\u200d\ufeff\u2028\u2029\u{e0041}\ud800",
];
const NASTY = DRIVERS.join(" text ");

/** All of it that may not reach a terminal; line ends and tabs are a renderer's own. */
const DRIVES = /[^\P{C}\t\n]|[\u2028\u2029]/u;

/** An event with every text in it nasty, names of hosts and keys of records too. */
function poisoned<T>(value: T, key = ""): T {
  if (typeof value === "string")
    return (
      ["type", "outcome", "code", "mode", "kind"].includes(key) ? value : `${value}${NASTY}`
    ) as T;
  if (Array.isArray(value)) return value.map((item) => poisoned(item)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      key === "hosts" ? poisoned(name) : name,
      poisoned(item, name),
    ]),
  ) as T;
}

/** A run in which everything is told that can be told. */
function events(): RunEvent[] {
  const script = new Script().start("play", [
    { label: "one", phase: ["first", "second"], kind: "action", hosts: ["a", "b"] },
    { label: "two", phase: [], kind: "gate", hosts: ["a"] },
  ]);
  const error = {
    code: "PB_COMMAND_FAILED" as const,
    message: "it failed",
    hint: "mend it",
    at: "play.ts:1",
    state: "as before",
    output: ["said", "and said"],
    causes: ["a cause"],
  };
  script.begin("one", "a", "b").waits("one", "a", "saw");
  script.change("one", "a", {
    say: "write it",
    diff: { path: "/etc/a", before: "old\nsame\n", after: "new\nsame\n" },
  });
  script.pass(500).finish("one", ["a"], "failed", { error });
  script.finish("one", ["b"], "changed", { changes: 1 });
  script.finish("two", ["a"], "skipped", { why: "one failed" }).recap(1);
  const [started, ...rest] = script.events;
  const extra: RunEvent[] = [
    { type: "host-connected", at: script.at, host: "a", ms: 3 },
    { type: "host-unreachable", at: script.at, host: "c", error: { ...error, host: "c" } },
  ];
  if (started?.type !== "run-started") throw new Error("it did not start");
  return [{ ...started, leftOut: ["left out"] }, ...extra, ...rest].map((event) => poisoned(event));
}

async function written(make: (options: RenderOptions) => Renderer): Promise<string> {
  let text = "";
  const out = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  const screen = Object.assign(out, {
    columns: 120,
    rows: 60,
    isTTY: true,
    hasColors: () => false,
  });
  const colors = pc.createColors(false);
  const renderer = make({ out: screen, colors, verbose: 2, diff: true, now: () => Date.now() });
  for (const event of events()) renderer.emit(event);
  await renderer.end();
  return text;
}

describe("whatever hosts and files say, a terminal is not driven by", () => {
  test("the lines", async () => {
    const text = await written((options) => new LinesRenderer(options, diffLines));
    expect(text).toContain("it failed");
    expect(text).toContain("+new");
    expect(text).not.toMatch(DRIVES);
  });

  test("the events for programs", async () => {
    const text = await written((options) => new JsonRenderer(options));
    expect(text).toContain("it failed");
    expect(text).not.toMatch(DRIVES);
    const parsed = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as RunEvent);
    expect(parsed.at(-1)).toMatchObject({ type: "recap" });
  });

  test("the tree at any moment, and what stays of it", async () => {
    const model = new RunModel("all");
    const colors = pc.createColors(false);
    const brush = { colors, columns: 5000, spin: "*", unicode: true };
    const frames = events().flatMap((event) => {
      model.apply(event);
      const view = { now: event.at + 2000, rows: 60 };
      return [false, true].flatMap((final) => layout(model, { ...view, final }));
    });
    const shown = [
      ...frames.map((line) => paint(line, brush)),
      ...(await changeLines(model, { colors, diff: true })),
      ...recapLines(model, { colors, columns: 80 }),
      ...failureText(model.errors, colors),
    ].join("\n");
    for (const told of ["it failed", "+new", "saw", "one failed", "left out"])
      expect(shown).toContain(told);
    expect(shown).not.toMatch(DRIVES);
  });

  test("an error that is told before a run, with its causes", () => {
    const cause = Object.assign(new Error(NASTY), { code: NASTY, cause: new Error(NASTY) });
    for (const error of [
      new PlaybookError(
        "PB_COMMAND_FAILED",
        [NASTY, 1, NASTY],
        { step: NASTY, host: NASTY, at: NASTY, state: NASTY, hint: NASTY, output: [NASTY] },
        { cause },
      ),
      new TypeError(NASTY, { cause }),
      NASTY,
    ]) {
      expect(printError(describeError(error))).not.toMatch(DRIVES);
      expect(printError(showError(error))).not.toMatch(DRIVES);
    }
  });
});

describe("what a host says without end", () => {
  const endless = "é\u0301 ".repeat(3_000_000);

  test("is told briefly", () => {
    const [shown] = showChange(writeFile("/a", endless, { was: endless, say: endless }));
    expect(shown?.say.length).toBeLessThan(3000);
    expect(shown?.diff?.after).toMatch(/^\(too long to show, \d+ characters\)$/);
    expect(shown?.diff?.before).toMatch(/^\(too long to show, \d+ characters\)$/);
    const error = new PlaybookError("PB_COMMAND_FAILED", ["cat", 1, endless], {
      output: [endless],
    });
    const { message, output } = showError(error);
    expect(message.length + (output?.[0]?.length ?? 0)).toBeLessThan(6000);
  });

  test("does not hold up what is printed", () => {
    const began = performance.now();
    expect(printError(describeError(new Error(endless))).length).toBeLessThan(25_000);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
