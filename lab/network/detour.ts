import { sh } from "#engine/host/command.ts";
import { attempt, run } from "../machine/run.ts";
import { machineNames } from "../plan/names.ts";
import { BRIDGE, batch, hasDevice } from "./network.ts";

/** The way round through a program: a bridge for whoever is led round, and the two cards that the program joins. */
export interface Detour {
  readonly bridge: string;
  /** In that bridge. */
  readonly near: string;
  /** In the lab's own. */
  readonly far: string;
}

/** Between one host and the lab's bridge. */
export const hostDetour = (host: string): Detour => ({
  bridge: `d-${host}`,
  near: `n-${host}`,
  far: `f-${host}`,
});

/** Between the machine and the lab's bridge. */
export const cableDetour: Detour = { bridge: "cable", near: "cable-near", far: "cable-far" };

// A burst must find room here until the program has taken it in.
const CARD_FRAMES = 10_000;

/** The detour's bridge. It only passes on: a bridge that answered for itself would be seen by the host. */
export async function ensureDetour(lab: string, { bridge }: Detour): Promise<void> {
  const { namespace } = machineNames(lab);
  if (!(await hasDevice(namespace, bridge)))
    await batch(namespace, [`link add name ${bridge} type bridge`]);
  const noIpv6 = `net.ipv6.conf.${bridge}.disable_ipv6=1`;
  await run(sh`nsenter --net=/run/netns/${namespace} sysctl -q -w ${noIpv6}`);
  await batch(namespace, [`link set ${bridge} arp off`, `link set ${bridge} up`]);
}

/** Plugs the program's cards in, once it has opened them. */
export async function joinDetour(lab: string, { bridge, near, far }: Detour): Promise<void> {
  await batch(machineNames(lab).namespace, [
    ...[near, far].map((card) => `link set ${card} txqueuelen ${CARD_FRAMES} addrgenmode none`),
    `link set ${near} master ${bridge} up`,
    `link set ${far} master ${BRIDGE} up`,
  ]);
}

/** Takes the detour's bridge away, if it is there; the cards go with their program. */
export async function removeDetour(lab: string, { bridge }: Detour): Promise<void> {
  await attempt(sh`ip -n ${machineNames(lab).namespace} link del ${bridge}`);
}
