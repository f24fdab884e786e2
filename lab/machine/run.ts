import { type SpawnOptions, spawn } from "node:child_process";
import { redact } from "#engine/dsl/masking.ts";
import { isSecret } from "#engine/dsl/secret.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import type { Command } from "#engine/host/command.ts";

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program on this machine and gives what it printed, whatever its exit code. */
export async function attempt(command: Command, seconds = 60): Promise<RunResult> {
  const [program, ...args] = command.argv;
  const options: SpawnOptions = { stdio: ["pipe", "pipe", "pipe"] };
  if (command.cwd !== undefined) options.cwd = command.cwd;
  if (command.env !== undefined) options.env = { ...process.env, ...command.env };
  const child = spawn(program, args, options);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program that does not read its input closes the pipe: no failure of its own.
  child.stdin?.on("error", () => child.stdin?.destroy());
  child.stdin?.end(isSecret(command.stdin) ? command.stdin.reveal() : command.stdin);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exit, signal) => resolve(exit ?? (signal ? 128 : 1)));
    });
    const result = { code, stdout: text(stdout), stderr: text(stderr) };
    if (late) throw failed(command, `did not end within ${seconds} s`, result);
    return result;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    throw failed(command, "is not installed", { code: 127, stdout: "", stderr: "" });
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program on this machine that must succeed, and gives what it printed. */
export async function run(command: Command, seconds = 60): Promise<string> {
  const result = await attempt(command, seconds);
  if (result.code === 0) return result.stdout;
  throw failed(command, `exited ${result.code}`, result);
}

function failed(command: Command, how: string, { stdout, stderr }: RunResult) {
  const printed = redact(stderr.trim() || stdout.trim());
  return new PlaybookError("PB_LAB_COMMAND_FAILED", [redact(command.argv.join(" ")), how], {
    output: printed === "" ? [] : printed.split("\n").slice(-20),
  });
}

const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString("utf8");
