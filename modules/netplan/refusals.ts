/** What netplan is not asked to do, and why. */
import { PlaybookError } from "#engine/index.ts";
import { KUBELET_CONF } from "../cluster-member.ts";
import type { LiveNow } from "./live.ts";
import { type Configured, effective, hiddenBy } from "./other-files.ts";
import { hostPart, type Want } from "./params.ts";

/** @throws PB_NETPLAN_NO_INTERFACE */
export function refuseMissing(live: LiveNow, want: Want): void {
  for (const name of Object.keys(want.interfaces))
    if (live.links[name] === undefined)
      throw new PlaybookError("PB_NETPLAN_NO_INTERFACE", [name, Object.keys(live.links)]);
}

/** The files as they will be: without those that go, with ours. */
const filesAfter = (files: readonly string[], { file, replaces }: Want): string[] => [
  ...files.filter((path) => path !== file && !replaces.includes(path)),
  file,
];

/**
 * @throws PB_NETPLAN_CONFLICT where a file that stays, and counts, configures a wanted interface
 * @throws PB_NETPLAN_HIDDEN where netplan would not read ours
 */
export function refuseConflicts(now: Pick<Holds, "files" | "declared">, want: Want): void {
  const files = filesAfter(now.files, want);
  const hiding = hiddenBy(want.file, files);
  if (hiding !== undefined) throw new PlaybookError("PB_NETPLAN_HIDDEN", [want.file, hiding]);
  const counts = effective(files);
  const other = now.declared.filter(
    ({ path, interface: name }) =>
      path !== want.file && counts.includes(path) && want.interfaces[name] !== undefined,
  );
  const [first] = other;
  if (first === undefined) return;
  const names = other.filter(({ path }) => path === first.path).map((one) => one.interface);
  throw new PlaybookError("PB_NETPLAN_CONFLICT", [first.path, [...new Set(names)]]);
}

/** What netplan says of a file that stays: it takes none then. @throws PB_NETPLAN_REFUSED */
export function refuseBroken(refused: string | undefined, want: Want): void {
  if (refused === undefined) return;
  const [path = ""] = /^\/[^:]+/.exec(refused) ?? [];
  if (path === want.file || want.replaces.includes(path)) return;
  throw new PlaybookError("PB_NETPLAN_REFUSED", [refused.split("\n")[0] ?? ""]);
}

/** What says which addresses are the node's. */
interface Holds {
  readonly live: LiveNow;
  /** Every netplan file, hidden ones too. */
  readonly files: readonly string[];
  readonly declared: readonly Configured[];
  /** What of that counts. */
  readonly configured: readonly Configured[];
  readonly nodeIps: readonly string[];
}

/**
 * The node's address is the one kubelet was given, and any that netplan files gave the interface so far. A virtual IP is
 * neither: it comes and goes. `wanted` are addresses by interface. @throws PB_CLUSTER_MEMBER where one of them would go
 */
export function refuseLoss(
  { live, configured, nodeIps }: Pick<Holds, "live" | "configured" | "nodeIps">,
  wanted: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [name, addresses] of Object.entries(wanted)) {
    const kept = addresses.map(hostPart);
    const node = nodeIps.map(hostPart);
    const isNodes = (live.links[name]?.addresses ?? [])
      .map(hostPart)
      .filter((own) => node.includes(own));
    const saved = configured
      .filter((one) => one.interface === name)
      .flatMap(({ addresses }) => addresses.map(hostPart));
    const lost = [...isNodes, ...saved].find((own) => !kept.includes(own));
    if (lost !== undefined)
      throw new PlaybookError("PB_CLUSTER_MEMBER", [
        `Taking ${lost} from ${name}`,
        `etcd, certificates and the Node object hold the address (${KUBELET_CONF} is there)`,
      ]);
  }
}
