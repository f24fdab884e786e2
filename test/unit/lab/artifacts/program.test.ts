import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "#lab/artifacts/program.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const options = (dir: string, change: { signal?: AbortSignal; timeoutMs?: number } = {}) => ({
  signal: new AbortController().signal,
  purpose: "test",
  logFile: join(dir, "logs", "x.log"),
  timeoutMs: 10_000,
  ...change,
});

test("gives stdout back and keeps stderr in the log", async () => {
  await using scratch = await scratchFolder();
  const argv = ["sh", "-c", 'echo out; echo "$WORD" >&2'] as const;
  const command = { argv: [...argv] as [string, ...string[]], env: { WORD: "err" } };
  expect(await runProgram(command, options(scratch.dir))).toBe("out\n");
  expect(await readFile(join(scratch.dir, "logs", "x.log"), "utf8")).toBe("err\n");
});

test("a failure carries the last lines and names the log", async () => {
  await using scratch = await scratchFolder();
  const argv: [string, ...string[]] = ["sh", "-c", "seq 1 50 >&2; exit 3"];
  await expect(runProgram({ argv }, options(scratch.dir))).rejects.toMatchObject({
    code: "PB_BUILD_FAILED",
    message: expect.stringContaining("exited 3"),
    context: {
      output: Array.from({ length: 20 }, (_, line) => String(line + 31)),
      state: expect.stringContaining("x.log"),
    },
  });
});

test("a missing program is named with what it was for", async () => {
  await using scratch = await scratchFolder();
  const argv: [string] = ["no-such-program-here"];
  await expect(runProgram({ argv }, options(scratch.dir))).rejects.toMatchObject({
    code: "PB_BUILD_TOOL_MISSING",
  });
});

test("the deadline ends the program and all that it started", async () => {
  await using scratch = await scratchFolder();
  const argv: [string, ...string[]] = ["sh", "-c", "sleep 60 & sleep 60"];
  await expect(
    runProgram({ argv }, options(scratch.dir, { timeoutMs: 200 })),
  ).rejects.toMatchObject({ message: expect.stringContaining("was ended after") });
});

test("an interrupt ends the program", async () => {
  await using scratch = await scratchFolder();
  const interrupt = new AbortController();
  const argv: [string, ...string[]] = ["sh", "-c", "sleep 60 & sleep 60"];
  const running = runProgram({ argv }, options(scratch.dir, { signal: interrupt.signal }));
  setImmediate(() => interrupt.abort(new Error("enough")));
  await expect(running).rejects.toThrow("enough");
});
