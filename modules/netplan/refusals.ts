/** What netplan is not asked to do, and why. */
import { PlaybookError } from "#engine/index.ts";
import { canonical } from "../address.ts";
import { KUBELET_CONF } from "../cluster-member.ts";
import type { LiveNow } from "./live.ts";
import type { Configured } from "./other-files.ts";
import type { Want } from "./params.ts";

/** @throws PB_NETPLAN_NO_INTERFACE */
export function refuseMissing(live: LiveNow, want: Want): void {
  for (const name of Object.keys(want.interfaces))
    if (live.links[name] === undefined)
      throw new PlaybookError("PB_NETPLAN_NO_INTERFACE", [name, Object.keys(live.links)]);
}

/** @throws PB_NETPLAN_CONFLICT where a file that stays configures a wanted interface */
export function refuseConflicts(configured: readonly Configured[], want: Want): void {
  const ours = [want.file, ...want.replaces];
  const other = configured.filter(
    (one) => !ours.includes(one.path) && want.interfaces[one.interface] !== undefined,
  );
  const [first] = other;
  if (first === undefined) return;
  const names = other.filter(({ path }) => path === first.path).map((one) => one.interface);
  throw new PlaybookError("PB_NETPLAN_CONFLICT", [first.path, [...new Set(names)]]);
}

/** What says which addresses are the node's. */
interface Holds {
  readonly live: LiveNow;
  readonly configured: readonly Configured[];
  readonly nodeIps: readonly string[];
}

/**
 * The node's address is the one kubelet was given, and any that netplan files gave the interface so far. A virtual IP is
 * neither: it comes and goes. `wanted` are addresses by interface. @throws PB_CLUSTER_MEMBER where one of them would go
 */
export function refuseLoss(
  { live, configured, nodeIps }: Holds,
  wanted: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [name, addresses] of Object.entries(wanted)) {
    const kept = addresses.map(canonical);
    const node = nodeIps.map(canonical);
    const isNodes = (live.links[name]?.addresses ?? [])
      .map(canonical)
      .filter((own) => node.includes(own));
    const saved = configured
      .filter((one) => one.interface === name)
      .flatMap(({ addresses }) => addresses.map(canonical));
    const lost = [...isNodes, ...saved].find((own) => !kept.includes(own));
    if (lost !== undefined)
      throw new PlaybookError("PB_CLUSTER_MEMBER", [
        `Taking ${lost} from ${name}`,
        `etcd, certificates and the Node object hold the address (${KUBELET_CONF} is there)`,
      ]);
  }
}
