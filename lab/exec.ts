import { PlaybookError } from "#engine/errors/error.ts";
import type { Command } from "#engine/host/command.ts";
import { initOf } from "./host/inside.ts";
import { hostOf, isRunning } from "./hosts.ts";
import { cgroupLayout, readCgroupMachine } from "./machine/cgroups.ts";
import { machineNames } from "./plan/names.ts";
import type { LabState } from "./state/state.ts";

// Joins the host's control groups first, so that what the command leaves behind is the host's and ends with it.
const JOIN = `
while [ "$1" != -- ]; do
  for group in "$1"/boot-*/payload/init.scope "$1/payload/init.scope" "$1"; do
    if [ -e "$group/cgroup.procs" ] && echo $$ >"$group/cgroup.procs"; then break; fi
  done
  shift
done
shift
exec "$@"`;

/**
 * The command that runs a program inside a host, past its network: it works while ssh does not. Its exit code is the
 * program's.
 */
export async function insideHost(
  state: LabState,
  name: string,
  argv: Command["argv"],
): Promise<[string, ...string[]]> {
  const init = await processOf(state, name, initOf);
  const machine = machineNames(state.name).host(name);
  const { groups } = cgroupLayout(await readCgroupMachine(), machine);
  return [
    ...(["sh", "-c", JOIN, "sh"] as const),
    ...groups,
    ...["--", "nsenter", `--target=${init}`, "--all", "--wd", "--", "env", "-i"],
    ...["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    ...["HOME=/root", "USER=root", "LANG=C.UTF-8"],
    ...argv,
  ];
}

/** A process of a running host, looked for below its keeper, or the error that says why there is none. */
export async function processOf(
  state: LabState,
  name: string,
  find: typeof initOf,
): Promise<number> {
  const host = hostOf(state, name);
  const running = host.process !== undefined && (await isRunning(host));
  const machine = machineNames(state.name).host(name);
  const found = running && host.process ? await find(host.process.pid, machine) : undefined;
  if (found !== undefined) return found;
  const how = running ? "it is booting" : "its process is gone";
  const off = host.power === "off" ? "its power was cut" : how;
  throw new PlaybookError("PB_LAB_HOST_DOWN", [name, off], { host: name });
}
