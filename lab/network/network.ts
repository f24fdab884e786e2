import { readdir, statfs, writeFile } from "node:fs/promises";
import { z } from "zod";
import { PlaybookError } from "#engine/errors/error.ts";
import { sh, withStdin } from "#engine/host/command.ts";
import { orMissing } from "../machine/files.ts";
import { addLabNamespace } from "../machine/netns-folder.ts";
import { attempt, run } from "../machine/run.ts";
import { addressPlan, ipv4Plan, macAddress } from "../plan/address-plan.ts";
import { machineNames } from "../plan/names.ts";

const NSFS_MAGIC = 0x6e736673;
/** Joins all hosts and the cable. */
export const BRIDGE = "br-lab";
/** A bridge that is never switched on: it drops all that its ports send, and their carrier stays. */
export const DARK = "dark";
/** The cable's end in the lab's namespace. */
export const UPLINK = "uplink";

/** What a lab's network is derived from. */
export interface NetworkIdentity {
  readonly name: string;
  readonly dualStack: boolean;
}

/**
 * A bridge in a namespace of the lab's own and one cable to the machine. The namespace forwards nothing, so hosts reach
 * each other and the machine's end of the cable, and no sysctl or route of the machine changes but that cable's own.
 * The cable is laid but not plugged in: whether into the bridge or a line before it is for the lab's faults to say.
 */
export async function ensureNetwork(lab: NetworkIdentity, labs: string): Promise<void> {
  const { namespace, cable } = machineNames(lab.name);
  const plan = addressPlan(lab.name);
  if (!(await isLive(namespace))) {
    await removeNetwork(lab.name);
    await refuseTakenPrefix(plan.prefix);
    await addLabNamespace(labs, namespace);
  }
  // Each part on its own: a command that was killed here before may have made some of them.
  const bridged = await hasDevice(namespace, BRIDGE);
  const dark = await hasDevice(namespace, DARK);
  await batch(namespace, [
    "link set lo up",
    // With a MAC of its own: else it would take a port's, and change it when that port goes.
    ...(bridged ? [] : [`link add ${BRIDGE} address ${macAddress(lab.name, "")} type bridge`]),
    ...(dark ? [] : [`link add name ${DARK} type bridge`]),
    `link set ${BRIDGE} up`,
    `addr replace ${plan.gateway}/64 dev ${BRIDGE} nodad`,
    ...(lab.dualStack ? [`addr replace ${ipv4Plan.gateway}/24 dev ${BRIDGE}`] : []),
  ]);
  if ((await attempt(sh`ip link show dev ${cable}`)).code !== 0)
    await run(sh`ip link add ${cable} type veth peer name ${UPLINK} netns ${namespace}`);
  await batch(namespace, [`link set ${UPLINK} up`]);
  // This interface's own settings: IPv6 on where the machine's default is off, and no routes from advertisements.
  await writeFile(`/proc/sys/net/ipv6/conf/${cable}/disable_ipv6`, "0");
  await writeFile(`/proc/sys/net/ipv6/conf/${cable}/accept_ra`, "0");
  await run(sh`ip link set ${cable} up`);
  await run(sh`ip addr replace ${plan.machine}/64 dev ${cable} nodad`);
}

/** Removes the bridge's namespace and the cable, whichever is there. */
export async function removeNetwork(lab: string): Promise<void> {
  const { namespace, cable } = machineNames(lab);
  if ((await attempt(sh`ip link show dev ${cable}`)).code === 0)
    await run(sh`ip link del ${cable}`);
  if (await hasNamespace(namespace)) await run(sh`ip netns del ${namespace}`);
}

/** Every device in the lab's namespace, with the bridge that it is plugged into. */
export async function pluggedInto(lab: string): Promise<Map<string, string | undefined>> {
  const printed = await run(sh`ip -n ${machineNames(lab).namespace} -json link show`);
  return new Map(Links.parse(JSON.parse(printed)).map(({ ifname, master }) => [ifname, master]));
}

const Links = z.array(z.object({ ifname: z.string(), master: z.string().optional() }));

/** Every process in a host's network namespace. */
export async function pidsInNamespace(namespace: string): Promise<number[]> {
  if (!(await hasNamespace(namespace))) return [];
  const { code, stdout } = await attempt(sh`ip netns pids ${namespace}`);
  return code === 0 ? stdout.split(/\s+/).filter(Boolean).map(Number) : [];
}

/** Names of the network namespaces on this machine. */
export async function namespaces(): Promise<string[]> {
  return (await orMissing(readdir("/run/netns"))) ?? [];
}

// After a restart of the machine its name can be left as a plain file, where /run is kept.
async function isLive(name: string): Promise<boolean> {
  return (await orMissing(statfs(`/run/netns/${name}`)))?.type === NSFS_MAGIC;
}

export const hasNamespace = async (name: string) => (await namespaces()).includes(name);

/** Whether a namespace has a device of that name. */
export const hasDevice = async (namespace: string, device: string): Promise<boolean> =>
  (await attempt(sh`ip -n ${namespace} link show dev ${device}`)).code === 0;

/** Runs lines of ip(8) in a namespace, all or up to the first that fails. */
export const batch = (namespace: string, lines: readonly string[]) =>
  run(withStdin(sh`ip -n ${namespace} -batch -`, `${lines.join("\n")}\n`));

async function refuseTakenPrefix(prefix: string): Promise<void> {
  const routes = (await run(sh`ip -6 route show exact ${prefix}`)).trim();
  if (routes !== "") throw new PlaybookError("PB_LAB_PREFIX_TAKEN", [prefix, routes]);
}
