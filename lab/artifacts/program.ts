import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import type { Command } from "#engine/host/command.ts";

interface ProgramOptions {
  readonly signal: AbortSignal;
  /** What it does, for the error when it is not installed: "build kubelet". */
  readonly purpose: string;
  /** Everything it prints on stderr is appended there. */
  readonly logFile: string;
  readonly timeoutMs: number;
}

const TAIL_LINES = 20;
/** What a program gets to end by itself. */
const GRACE_MS = 5_000;

/** Runs a program of this machine and returns its stdout; a failure carries the last lines that it printed. */
export async function runProgram(command: Command, options: ProgramOptions): Promise<string> {
  const [program, ...args] = command.argv;
  await mkdir(dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile, { flags: "a" });
  // A process group of its own: the compilers that it starts end with it.
  const child = spawn(program, args, {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const output: Buffer[] = [];
  let tail: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => {
    log.write(chunk);
    tail = [...tail, ...chunk.toString().split("\n").filter(Boolean)].slice(-TAIL_LINES);
  });
  try {
    const how = await ended(child, options);
    if (how !== undefined)
      throw new PlaybookError("PB_BUILD_FAILED", [command.argv.join(" "), how], {
        output: tail,
        state: `the whole log is ${options.logFile}`,
      });
    return Buffer.concat(output).toString();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT")
      throw new PlaybookError(
        "PB_BUILD_TOOL_MISSING",
        [program, options.purpose],
        {},
        { cause: error },
      );
    throw error;
  } finally {
    log.end();
    await finished(log);
  }
}

/** Undefined when it exited 0, else how it ended. */
async function ended(child: ChildProcess, options: ProgramOptions): Promise<string | undefined> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const stop = AbortSignal.any([options.signal, deadline]);
  let last: NodeJS.Timeout | undefined;
  const kill = () => {
    // Asked first, so that it clears its own temporary files.
    signalGroup(child, "SIGTERM");
    last = setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS);
  };
  if (stop.aborted) kill();
  stop.addEventListener("abort", kill, { once: true });
  try {
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (...how) => resolve(how));
    });
    options.signal.throwIfAborted();
    if (deadline.aborted) return `was ended after ${Math.round(options.timeoutMs / 1000)} s`;
    return code === 0 ? undefined : code === null ? `was ended by ${signal}` : `exited ${code}`;
  } finally {
    stop.removeEventListener("abort", kill);
    clearTimeout(last);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // It ended by itself in the same moment.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
