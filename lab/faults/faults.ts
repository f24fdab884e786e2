import type { LabContext } from "../context.ts";
import { processOf } from "../exec.ts";
import { nspawnOf } from "../host/inside.ts";
import { hostOf } from "../hosts.ts";
import { type LabState, writeState } from "../state/state.ts";
import { emptyDisk, fillDisk } from "./ballast.ts";
import type { HostFaults, LineFault } from "./fault-state.ts";
import { applyCableFault, applyHostFaults } from "./network-faults.ts";
import { isHealthy } from "./parse.ts";

// The state is written first: a command that is killed half-way is finished by the next `up`.

/** Makes the network of hosts dark, both ways: silence, and no carrier lost. */
export async function cutHosts(
  context: LabContext,
  state: LabState,
  names: readonly string[],
): Promise<void> {
  for (const name of names) hostOf(state, name);
  for (const name of names) await alter(context, state, { name, faults: { cut: true } });
}

/** Leads all traffic of hosts through a line; a line that does nothing is none. */
export async function delayHosts(
  context: LabContext,
  state: LabState,
  { names, line }: { readonly names: readonly string[]; readonly line: LineFault },
): Promise<void> {
  for (const name of names) hostOf(state, name);
  const faults = { line: isHealthy(line) ? undefined : line };
  for (const name of names) await alter(context, state, { name, faults });
}

/** Leads all traffic between the machine and the hosts through one line. */
export async function delayCable(
  context: LabContext,
  state: LabState,
  line: LineFault,
): Promise<void> {
  if (isHealthy(line)) delete state.cableFault;
  else state.cableFault = line;
  await writeState(context.paths.state, state);
  await applyCableFault(context, state);
}

/** Fills the disks of running hosts. */
export async function fillHosts(
  context: LabContext,
  state: LabState,
  { names, leaveBytes }: { readonly names: readonly string[]; readonly leaveBytes: number },
): Promise<void> {
  // A disk can be filled only while its host runs: known before anything is noted.
  for (const name of names) await processOf(state, name, nspawnOf);
  for (const name of names) {
    await note(context, state, { name, faults: { fill: { leaveBytes } } });
    await fillDisk(context, state, { name, leaveBytes });
  }
}

/** Undoes all that was done to hosts. The network first: it comes back also where the disk cannot be reached. */
export async function healHosts(
  context: LabContext,
  state: LabState,
  names: readonly string[],
): Promise<void> {
  for (const name of names) hostOf(state, name);
  for (const name of names)
    await alter(context, state, { name, faults: { cut: undefined, line: undefined } });
  for (const name of names) {
    if (hostOf(state, name).faults?.fill === undefined) continue;
    await emptyDisk(context, state, name);
    await note(context, state, { name, faults: { fill: undefined } });
  }
}

interface Alteration {
  readonly name: string;
  readonly faults: HostFaults;
}

async function alter(context: LabContext, state: LabState, alteration: Alteration): Promise<void> {
  await note(context, state, alteration);
  await applyHostFaults(context, state, alteration.name);
}

async function note(context: LabContext, state: LabState, { name, faults }: Alteration) {
  const { faults: earlier, ...host } = hostOf(state, name);
  const now = { ...earlier, ...faults };
  const isFaulty = Object.values(now).some((fault) => fault !== undefined);
  state.hosts[name] = isFaulty ? { ...host, faults: now } : host;
  await writeState(context.paths.state, state);
}
