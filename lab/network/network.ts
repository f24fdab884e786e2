import { readdir, statfs, writeFile } from "node:fs/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import { sh, withStdin } from "#engine/host/command.ts";
import { orMissing } from "../machine/files.ts";
import { addLabNamespace } from "../machine/netns-folder.ts";
import { attempt, run } from "../machine/run.ts";
import { addressPlan, ipv4Plan, macAddress } from "../plan/address-plan.ts";
import { machineNames } from "../plan/names.ts";

const NSFS_MAGIC = 0x6e736673;
const BRIDGE = "br-lab";
/** The cable's end in the lab's namespace. */
const UPLINK = "uplink";

/** What a lab's network is derived from. */
export interface NetworkIdentity {
  readonly name: string;
  readonly dualStack: boolean;
}

/**
 * A bridge in a namespace of the lab's own and one cable to the machine. The namespace forwards nothing, so hosts reach
 * each other and the machine's end of the cable, and no sysctl or route of the machine changes but that cable's own.
 */
export async function ensureNetwork(lab: NetworkIdentity, labs: string): Promise<void> {
  const { namespace, cable } = machineNames(lab.name);
  const plan = addressPlan(lab.name);
  const inside = (...words: string[]) => attempt(sh`ip -n ${namespace} ${words}`);
  if (!(await isLive(namespace))) {
    await removeNetwork(lab.name);
    await refuseTakenPrefix(plan.prefix);
    await addLabNamespace(labs, namespace);
  }
  // Each part on its own: a command that was killed here before may have made some of them.
  const bridged = (await inside("link", "show", "dev", BRIDGE)).code === 0;
  await batch(namespace, [
    "link set lo up",
    ...(bridged ? [] : [`link add ${BRIDGE} type bridge`]),
    `link set ${BRIDGE} up`,
    `addr replace ${plan.gateway}/64 dev ${BRIDGE} nodad`,
    ...(lab.dualStack ? [`addr replace ${ipv4Plan.gateway}/24 dev ${BRIDGE}`] : []),
  ]);
  if ((await attempt(sh`ip link show dev ${cable}`)).code !== 0)
    await run(sh`ip link add ${cable} type veth peer name ${UPLINK} netns ${namespace}`);
  await batch(namespace, [`link set ${UPLINK} master ${BRIDGE} up`]);
  // This interface's own settings: IPv6 on where the machine's default is off, and no routes from advertisements.
  await writeFile(`/proc/sys/net/ipv6/conf/${cable}/disable_ipv6`, "0");
  await writeFile(`/proc/sys/net/ipv6/conf/${cable}/accept_ra`, "0");
  await run(sh`ip link set ${cable} up`);
  await run(sh`ip addr replace ${plan.machine}/64 dev ${cable} nodad`);
}

/** A host's network namespace with its card, plugged into the bridge. */
export async function plugIn(lab: string, host: string): Promise<void> {
  const names = machineNames(lab);
  await run(sh`ip netns add ${names.host(host)}`);
  await batch(names.namespace, plugLines(lab, host));
}

/** Shell text that takes a host's network away and plugs a fresh one in, as a reboot does. */
export function replugScript(lab: string, host: string): string {
  const names = machineNames(lab);
  const ip = `ip -n ${names.namespace}`;
  return [
    `${ip} link del ${port(host)}`,
    `ip netns del ${names.host(host)}`,
    `ip netns add ${names.host(host)}`,
    ...plugLines(lab, host).map((line) => `${ip} ${line}`),
  ].join("\n");
}

function plugLines(lab: string, host: string): string[] {
  const mac = macAddress(lab, host);
  const own = machineNames(lab).host(host);
  return [
    `link add ${port(host)} type veth peer name eth0 address ${mac} netns ${own}`,
    `link set ${port(host)} master ${BRIDGE} up`,
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

/** Removes the bridge's namespace and the cable, whichever is there. */
export async function removeNetwork(lab: string): Promise<void> {
  const { namespace, cable } = machineNames(lab);
  if ((await attempt(sh`ip link show dev ${cable}`)).code === 0)
    await run(sh`ip link del ${cable}`);
  if (await hasNamespace(namespace)) await run(sh`ip netns del ${namespace}`);
}

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

const hasNamespace = async (name: string) => (await namespaces()).includes(name);

const port = (host: string) => `v-${host}`;

const batch = (namespace: string, lines: readonly string[]) =>
  run(withStdin(sh`ip -n ${namespace} -batch -`, `${lines.join("\n")}\n`));

async function refuseTakenPrefix(prefix: string): Promise<void> {
  const routes = (await run(sh`ip -6 route show exact ${prefix}`)).trim();
  if (routes !== "") throw new PlaybookError("PB_LAB_PREFIX_TAKEN", [prefix, routes]);
}
