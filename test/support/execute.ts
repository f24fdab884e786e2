import { spawn } from "node:child_process";
import type { Command, RunResult } from "#engine/index.ts";
import { asText } from "./case-host.ts";

/** Runs a command on the machine that runs the tests, with a deadline: for scripts that need no host of their own. */
export function execute(command: Command, timeoutMs = 20_000): Promise<RunResult> {
  const [program, ...args] = command.argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, LC_ALL: "C", ...command.env },
      signal: AbortSignal.timeout(timeoutMs),
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    // A program may end without reading what it was given; its exit code says how it went.
    child.stdin.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") reject(error);
    });
    child.on("close", (code) => resolve({ code: code ?? 255, stdout, stderr }));
    child.stdin.end(command.stdin === undefined ? "" : asText(command.stdin));
  });
}
