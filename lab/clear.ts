import { isPlaybookError, PlaybookError } from "#engine/errors/error.ts";
import type { LabContext } from "./context.ts";
import { removeHost, tracesOfHosts } from "./host/remove.ts";
import { isRunning } from "./hosts.ts";
import { killAll } from "./machine/processes.ts";
import { together } from "./machine/together.ts";
import { until } from "./machine/until.ts";
import { namespaces, pidsInNamespace, removeNetwork } from "./network/network.ts";
import { machineNames } from "./plan/names.ts";
import { stopNotedServices } from "./services.ts";
import { type LabState, readState } from "./state/state.ts";

/**
 * Removes what no living host of this lab owns: after a crash, a kill or a restart of the machine, namespaces, control
 * groups and orphaned processes can be there without their host. Only things of this lab's name are touched.
 */
export async function clearStale(context: LabContext): Promise<void> {
  const state = await readState(context.paths.state);
  const living = new Set<string>();
  for (const [name, host] of Object.entries(state?.hosts ?? {}))
    if (host.power === "off" || (await isRunning(host))) living.add(name);
  const stale = (await tracesOfHosts(context.name)).filter((name) => !living.has(name));
  await together(stale, (name) => removeHost(context.name, name, context.paths.host(name).image));
  if (state !== undefined) return;
  await stopNotedServices(context.paths.services);
  await clearNetwork(context.name);
}

/** Removes every trace of every host, living or not. */
export async function clearHosts(context: LabContext, state: LabState | undefined): Promise<void> {
  const known = Object.keys(state?.hosts ?? {});
  const names = new Set([...known, ...(await tracesOfHosts(context.name))]);
  await together(names, (name) => removeHost(context.name, name, context.paths.host(name).image));
}

/** Removes the lab's bridge, its namespace and the cable. */
export async function clearNetwork(lab: string): Promise<void> {
  const { namespace } = machineNames(lab);
  await killAll(() => pidsInNamespace(namespace), `The namespace ${namespace}`);
  await removeNetwork(lab);
  const gone = async () => ((await namespaces()).includes(namespace) ? undefined : true);
  if (await until(gone, { seconds: 5 })) return;
  throw new PlaybookError("PB_LAB_LEFTOVER", [`The namespace ${namespace}`, 5]);
}

/** The state, or undefined when its file is broken: `down` clears by name and needs none. */
export async function readStateIfWhole(context: LabContext): Promise<LabState | undefined> {
  try {
    return await readState(context.paths.state);
  } catch (error) {
    if (isPlaybookError(error) && error.code === "PB_LAB_STATE") return undefined;
    throw error;
  }
}
