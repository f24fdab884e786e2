import { readdir, readFile } from "node:fs/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import { isAlive, type ProcessIdentity, readStat } from "#engine/host/process-identity.ts";
import { orMissing, readText } from "./files.ts";
import { until } from "./until.ts";

/** Ends a process unless it is another one by now; SIGKILL after the grace. */
export async function end(target: ProcessIdentity, graceSeconds: number): Promise<void> {
  const gone = async () => ((await isAlive(target)) ? undefined : true);
  if (await gone()) return;
  signal(target.pid, "SIGTERM");
  if (await until(gone, { seconds: graceSeconds })) return;
  signal(target.pid, "SIGKILL");
  if (await until(gone, { seconds: 10 })) return;
  throw new PlaybookError("PB_LAB_LEFTOVER", [`Process ${target.pid}`, 10]);
}

/** Sends a signal; a process that is gone already is fine. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** SIGKILLs whatever `find` finds until it finds nothing. */
export async function killAll(find: () => Promise<number[]>, what: string): Promise<void> {
  // A host with a whole cluster on it, on a machine under load, takes its time to die.
  const seconds = 90;
  const none = await until(
    async () => {
      const pids = await find();
      for (const pid of pids) signal(pid, "SIGKILL");
      return pids.length === 0 ? true : undefined;
    },
    { seconds, every: 20 },
  );
  if (none) return;
  const left = (await find()).join(", ");
  throw new PlaybookError("PB_LAB_LEFTOVER", [`${what} (processes ${left})`, seconds]);
}

/** Every running process whose arguments contain this very argument. */
export async function withArgument(argument: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await allPids()) {
    const line = await orMissing(readFile(`/proc/${pid}/cmdline`, "utf8"));
    if (line?.split("\0").includes(argument) && !(await readStat(pid))?.zombie) found.push(pid);
  }
  return found;
}

/** The processes that this one started itself. */
export async function childrenOf(parent: number): Promise<number[]> {
  const line = await readText(`/proc/${parent}/task/${parent}/children`);
  if (line !== undefined) return numbers(line);
  // Kernels without CONFIG_PROC_CHILDREN: ask every process for its parent.
  const all = await allPids();
  const stats = await Promise.all(all.map(async (pid) => ({ pid, stat: await readStat(pid) })));
  return stats.filter(({ stat }) => stat?.parent === parent).map(({ pid }) => pid);
}

/** The pids in white-space separated text such as cgroup.procs. */
export const numbers = (text: string): number[] => text.split(/\s+/).filter(Boolean).map(Number);

async function allPids(): Promise<number[]> {
  const names = await readdir("/proc");
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}
