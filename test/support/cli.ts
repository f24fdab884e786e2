import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunEvent } from "#engine/report/event.ts";

/** The repository's root. */
export const root = join(import.meta.dirname, "../..");

/** The command line as it is shipped, for this Node. */
export const bin = join(root, "dist/engine/cli/bin.js");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  /** Highest resident memory seen, MiB. */
  readonly peakMiB: number;
}

interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Kills the process and rejects; 15 min unless given. */
  readonly timeoutMs?: number;
  /** Kills the process when it aborts, with SIGKILL: nothing in it runs any more, and its code is null. */
  readonly kill?: AbortSignal;
}

/** Runs the real command line as its own process, the way an operator does. */
export function cli(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  const started = performance.now();
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  options.kill?.addEventListener("abort", kill, { once: true });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  let peakMiB = 0;
  const sampler = setInterval(() => {
    peakMiB = Math.max(peakMiB, residentMiB(child.pid));
  }, 200);
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${args.join(" ")} ran past its deadline\n${stdout}\n${stderr}`));
    }, options.timeoutMs ?? 900_000);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(deadline);
      clearInterval(sampler);
      options.kill?.removeEventListener("abort", kill);
      resolve({ code, stdout, stderr, ms: Math.round(performance.now() - started), peakMiB });
    });
  });
}

// VmHWM is the kernel's own high-water mark, so that a sample between peaks still sees them.
function residentMiB(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}

type Recap = Extract<RunEvent, { type: "recap" }>;
type NodeFinished = Extract<RunEvent, { type: "node-finished" }>;

export interface Played extends Ended {
  readonly events: readonly RunEvent[];
  readonly recap: Recap;
  /** The nodes that ended so, as "step on host", in the order in which they ended. */
  ended(outcome: NodeFinished["outcome"]): string[];
  /** The root causes, a line each. */
  readonly errors: readonly string[];
}

/** Runs a playbook with `--output json` and parses its events. */
export async function play(args: readonly string[], options: CliOptions = {}): Promise<Played> {
  const ended = await cli([...args, "--output", "json"], options);
  const events = ended.stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as RunEvent);
  const recap = events.at(-1);
  if (recap?.type !== "recap")
    throw new Error(`no recap (exit ${ended.code})\n${ended.stdout}\n${ended.stderr}`);
  return {
    ...ended,
    events,
    recap,
    errors: events.flatMap((event) =>
      (event.type === "node-finished" || event.type === "host-unreachable") && event.error
        ? [
            `${"step" in event ? event.step : "connecting"} on ${event.host}: ${event.error.code} ${event.error.message}`,
          ]
        : [],
    ),
    ended: (outcome) =>
      events
        .filter((event) => event.type === "node-finished" && event.outcome === outcome)
        .map((event) => `${(event as NodeFinished).step} on ${(event as NodeFinished).host}`),
  };
}
