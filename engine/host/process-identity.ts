import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** A process that no other one can be taken for: its number, and when it started. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

/** Who a process is, or undefined when it is gone (a zombie is). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === "linux" ? await sinceBoot(pid) : await asPsSays(pid);
  return started === undefined ? undefined : { pid, started };
}

/** True while that very process runs: another one with its number does not count. */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  return (await identify(process.pid))?.started === process.started;
}

interface Stat {
  readonly parent: number;
  readonly zombie: boolean;
  readonly started: string;
}

/** What Linux says of a process; undefined when it is gone. */
export async function readStat(pid: number): Promise<Stat | undefined> {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    // A process may go while its file is open.
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ESRCH") return undefined;
    throw error;
  }
}

/** The fields of /proc/PID/stat. The name in parentheses may itself hold spaces and parentheses. */
export function parseStat(line: string): Stat {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  return {
    zombie: fields[0] === "Z" || fields[0] === "X",
    parent: Number(fields[1]),
    started: fields[19] ?? "",
  };
}

async function sinceBoot(pid: number): Promise<string | undefined> {
  const stat = await readStat(pid);
  if (stat === undefined || stat.zombie) return undefined;
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
  return `${boot.trim()}/${stat.started}`;
}

// To the second: a number that comes round again within one is no risk that counts.
async function asPsSays(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "state=,lstart=", "-p", String(pid)]);
    const [state = "Z", ...started] = stdout.trim().split(/\s+/);
    return state.startsWith("Z") ? undefined : started.join(" ");
  } catch (error) {
    // ps exits 1 where there is no such process.
    if (codeOf(error) === 1) return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
