import { rmdir } from "node:fs/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import {
  type CgroupMachine,
  cgroupLayout,
  groupsLike,
  pidsIn,
  readCgroupMachine,
  removeGroups,
} from "../machine/cgroups.ts";
import { orMissing } from "../machine/files.ts";
import { waitUnused } from "../machine/loops.ts";
import { killAll, withArgument } from "../machine/processes.ts";
import { until } from "../machine/until.ts";
import { namespaces, pidsInNamespace } from "../network/network.ts";
import { removeHostNetwork } from "../network/port.ts";
import { machineNames } from "../plan/names.ts";
import { machineArgument } from "./launch.ts";

const SECONDS = 90;

/**
 * Ends every process of a host. nspawn alone is not enough: when it is killed, the host's init lives on. What is killed
 * is what is in the host's control groups or network namespace, or is its nspawn.
 */
export async function killHost(lab: string, host: string, machine: CgroupMachine): Promise<void> {
  const name = machineNames(lab).host(host);
  const { groups } = cgroupLayout(machine, name);
  const members = async () => {
    const found = await Promise.all([
      pidsIn(groups),
      pidsInNamespace(name),
      withArgument(machineArgument(name)),
    ]);
    return [...new Set(found.flat())].filter((pid) => pid !== process.pid);
  };
  await killAll(members, `Host ${host} of lab "${lab}"`);
}

/** Removes all that a host is, except its folder with the disk. Works on whatever is there, also after a crash. */
export async function removeHost(lab: string, host: string, image: string): Promise<void> {
  const machine = await readCgroupMachine();
  const name = machineNames(lab).host(host);
  await killHost(lab, host, machine);
  await waitUnused(image);
  await removeHostNetwork(lab, host);
  await removeEmptyGroups(cgroupLayout(machine, name).groups);
  await removeNspawnFolders(name);
}

/** Every host of the lab that the machine shows a trace of, whether or not the state knows it. */
export async function tracesOfHosts(lab: string): Promise<string[]> {
  const { hostPrefix } = machineNames(lab);
  const fromNamespaces = (await namespaces()).filter((name) => name.startsWith(hostPrefix));
  const fromGroups = await groupsLike(await readCgroupMachine(), hostPrefix);
  return [
    ...new Set([...fromNamespaces.map((name) => name.slice(hostPrefix.length)), ...fromGroups]),
  ];
}

// A killed process leaves its group a moment after it is gone from /proc.
async function removeEmptyGroups(groups: readonly string[]): Promise<void> {
  const removed = await until(
    async () => {
      try {
        await removeGroups(groups);
        return true;
      } catch (error) {
        if (isBusy(error)) return undefined;
        throw error;
      }
    },
    { seconds: SECONDS, every: 20 },
  );
  if (!removed)
    throw new PlaybookError("PB_LAB_LEFTOVER", [`A control group of ${groups[0]}`, SECONDS]);
}

// nspawn makes these on the machine and leaves them; the parents go too when no other machine is in them.
async function removeNspawnFolders(machine: string): Promise<void> {
  for (const folder of [`propagate/${machine}`, `unix-export/${machine}`, "propagate", ""])
    await rmdir(`/run/systemd/nspawn/${folder}`).catch((error: unknown) => {
      if (!isBusy(error)) return orMissing(Promise.reject(error));
      return undefined;
    });
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  (error.code === "EBUSY" || error.code === "ENOTEMPTY");
