import { sh } from "#engine/host/command.ts";
import type { HostFaults } from "../faults/fault-state.ts";
import { attempt, run } from "../machine/run.ts";
import { macAddress } from "../plan/address-plan.ts";
import { machineNames } from "../plan/names.ts";
import { hostDetour } from "./detour.ts";
import { BRIDGE, batch, DARK, hasDevice, hasNamespace } from "./network.ts";

/** A host's port on the lab's side. */
export const port = (host: string): string => `v-${host}`;

/** The bridge that a host's port belongs in. */
export function bridgeOf(host: string, { cut, line }: HostFaults = {}): string {
  if (cut) return DARK;
  return line ? hostDetour(host).bridge : BRIDGE;
}

/** A host's network namespace with its card, plugged into a bridge. */
export async function plugIn(lab: string, host: string, bridge: string): Promise<void> {
  const names = machineNames(lab);
  await run(sh`ip netns add ${names.host(host)}`);
  await batch(names.namespace, plugLines(lab, host, bridge));
}

/** Puts a running host's port into another bridge; what the host sees of its card stays the same. */
export async function movePort(lab: string, host: string, bridge: string): Promise<void> {
  const { namespace } = machineNames(lab);
  // A host that is down has none: it is plugged in where it belongs when it boots.
  if (await hasDevice(namespace, port(host)))
    await batch(namespace, [`link set ${port(host)} master ${bridge}`]);
}

/** Shell text that takes a host's network away and plugs a fresh one in, as a reboot does. */
export function replugScript(lab: string, host: string, bridge: string): string {
  const names = machineNames(lab);
  const ip = `ip -n ${names.namespace}`;
  const lines = [
    `${ip} link del ${port(host)}`,
    `ip netns del ${names.host(host)}`,
    `ip netns add ${names.host(host)}`,
    ...plugLines(lab, host, bridge).map((line) => `${ip} ${line}`),
  ];
  return `${lines.join("\n")}\n`;
}

function plugLines(lab: string, host: string, bridge: string): string[] {
  const mac = macAddress(lab, host);
  const own = machineNames(lab).host(host);
  return [
    `link add ${port(host)} type veth peer name eth0 address ${mac} netns ${own}`,
    // A port that has an address of its own would tell the host about itself.
    `link set ${port(host)} addrgenmode none`,
    `link set ${port(host)} master ${bridge} up`,
  ];
}

/** Pulls the cable: nothing that the host still sends gets out. */
export async function unplug(lab: string, host: string): Promise<void> {
  // A crashed host may have lost its card already.
  await attempt(sh`ip -n ${machineNames(lab).namespace} link set ${port(host)} down`);
}

/** Removes a host's card and namespace, whichever of them is there. */
export async function removeHostNetwork(lab: string, host: string): Promise<void> {
  const names = machineNames(lab);
  // Deleting the namespace would take the card with it, but only some time later.
  if (await hasNamespace(names.namespace))
    await attempt(sh`ip -n ${names.namespace} link del ${port(host)}`);
  if (await hasNamespace(names.host(host))) await run(sh`ip netns del ${names.host(host)}`);
}
