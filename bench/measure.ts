/** Runs a program as whoever measures it would: from its start to its end, all output taken, nothing watched inside. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Measured {
  readonly ms: number;
  /** User and system time of it and of all its children that it waited for; in steps of 10 ms. */
  readonly cpuMs: number;
  readonly printed: Printed;
}

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Wall time of one whole process; `begun` hears of its pid. @throws where it fails or outlives the deadline, with what
 * it printed last
 */
export async function measure(
  command: Command,
  deadlineMs: number,
  begun?: (pid: number) => void,
): Promise<Measured> {
  const [program, ...args] = command.argv;
  const cpuBefore = childrenCpuMs();
  const start = performance.now();
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(command.cwd !== undefined && { cwd: command.cwd }),
    env: { ...process.env, NO_COLOR: "1", ...command.env },
  });
  if (child.pid !== undefined) begun?.(child.pid);
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      printed[stream] += text;
    });
  const deadline = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  const ms = performance.now() - start;
  clearTimeout(deadline);
  if (code !== 0) throw new Error(failure(command, code ?? "by a signal", printed));
  return { ms, cpuMs: childrenCpuMs() - cpuBefore, printed };
}

function failure({ argv }: Command, code: number | string, { stdout, stderr }: Printed): string {
  const last = `${stdout}\n${stderr}`.trim().split("\n").slice(-30).join("\n");
  return `${argv.join(" ")} ended ${code}\n${last}`;
}

const TICK_MS = 10;

// utime and stime of the children that were waited for: fields 16 and 17 of proc_pid_stat(5), in clock ticks.
function childrenCpuMs(): number {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? upper;
  return (upper + lower) / 2;
}
