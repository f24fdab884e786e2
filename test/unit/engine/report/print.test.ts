import pc from "picocolors";
import { expect, test } from "vitest";
import { PlaybookError } from "#engine/errors/error.ts";
import { describeError, printError } from "#engine/report/print.ts";

const print = (error: unknown, isColored = false) =>
  printError(describeError(error), pc.createColors(isColored));

test("an error says what, where, why, what next and in what state", () => {
  const cause = new Error("connect ECONNREFUSED ::1:6443", { cause: new Error("no listener") });
  const error = new PlaybookError(
    "PB_PARAMS_INVALID",
    ["sysctl", "net.bridge.x is no key\nof this kernel"],
    {
      at: "playbooks/bootstrap.ts:10",
      step: "kernel",
      host: "w1",
      state: "2 of 3 changes on w1 were applied; running again is safe",
      hint: "load br_netfilter first",
      output: ["sysctl: cannot stat", "\x1b[31mNo such file\x1b[0m"],
    },
    { cause },
  );
  expect(print(error)).toMatchInlineSnapshot(`
    "PB_PARAMS_INVALID  kernel on w1 (playbooks/bootstrap.ts:10)
      sysctl: net.bridge.x is no key
      of this kernel.
      | sysctl: cannot stat
      | No such file
      cause: connect ECONNREFUSED ::1:6443
      cause: no listener
      hint: load br_netfilter first
      state: 2 of 3 changes on w1 were applied; running again is safe"
  `);
});

test("an error without a place is as short as it can be", () => {
  expect(print(new PlaybookError("PB_USAGE", ["Unknown option '--chek'."]))).toMatchInlineSnapshot(`
    "PB_USAGE
      Unknown option '--chek'.
      hint: Run \`run-playbook --help\` for the commands and examples."
  `);
});

test("colour only when asked for", () => {
  const error = new PlaybookError("PB_USAGE", ["x"]);
  expect(print(error)).not.toContain("\x1b");
  expect(print(error, true)).toContain("\x1b[31m");
});

test("a mistake of ours comes with its stack, and says so", () => {
  const text = print(new TypeError("x is not a function"));
  expect(text).toMatch(/^PB_BUG\n {2}x is not a function\n {2}\| at .*print\.test\.ts/);
});

test("several causes of one failure are all told", () => {
  const both = new AggregateError([new Error("::1 refused"), new Error("127.0.0.1 refused")], "");
  expect(describeError(new Error("cannot connect", { cause: both })).causes).toEqual([
    "AggregateError",
    "::1 refused",
    "127.0.0.1 refused",
  ]);
});

test("naughty errors do not break the printing", () => {
  const circular = new Error("round");
  circular.cause = new Error("and round", { cause: circular });
  expect(describeError(circular).causes).toEqual(["and round"]);

  const throwing = {
    get message(): string {
      throw new Error("no");
    },
    get cause(): unknown {
      throw new Error("no");
    },
    [Symbol.for("nodejs.util.inspect.custom")]() {
      throw new Error("no");
    },
    toString() {
      throw new Error("no");
    },
  };
  expect(print(throwing)).toContain("(unprintable)");
  expect(print(new Error("outer", { cause: throwing }))).toContain("cause: (unprintable)");
  for (const value of [undefined, null, "text", 7, Symbol("s"), Object.create(null), () => 1])
    expect(print(value)).toMatch(/^PB_BUG\n/);
  const endless = new Error("0");
  let last = endless;
  for (let index = 1; index < 1000; index++) {
    last.cause = new Error(String(index));
    last = last.cause as Error;
  }
  expect(describeError(endless).causes.length).toBeLessThanOrEqual(20);
});
