/** Hosts that are fit to be nodes. */
import { type AnyStep, each } from "run-playbook";
import * as use from "run-playbook/modules";
import { type Cluster, type ClusterHost, type ClusterPlay, sysctlFile } from "../cluster.ts";

/** What every node needs of its system, whatever runs on it later. */
const packages = ["ca-certificates", "conntrack", "curl", "ethtool", "iproute2", "nftables"];

/** Declares the phase; what comes back is what a node's next steps wait for. */
export function prepared(play: ClusterPlay, cluster: Cluster): AnyStep[] {
  const { step, gate, phase } = play;
  const { nodes, plan, settings } = cluster;
  return phase("prepare hosts", () => {
    const supported = step("supported system", { on: nodes, ensure: use.assertOs({}) });
    const fit = [each(supported)];
    const names = gate("name server", {
      on: nodes,
      after: fit,
      within: "5s",
      until: use.nameServers({ family: plan.family }),
    });
    const installed = step("packages", {
      on: nodes,
      after: [supported, names],
      timeout: "15m",
      ensure: (host) => use.apt({ present: packagesOf(host, cluster) }),
    });
    const modules = step("kernel modules", {
      on: nodes,
      after: fit,
      ensure: use.kernelModules({
        modules: bridged(cluster) ? ["overlay", "br_netfilter"] : ["overlay"],
      }),
    });
    const steps: AnyStep[] = [
      installed,
      step("host name", {
        on: nodes,
        after: fit,
        ensure: (host) => use.hostname({ name: host.name }),
      }),
      step("names of all nodes", {
        on: nodes,
        after: fit,
        ensure: use.hostsFile({ entries: hostEntries(cluster) }),
      }),
      step("no swap", { on: nodes, after: fit, ensure: use.swap({}) }),
      modules,
      step("forwarding", {
        on: nodes,
        after: [each(modules)],
        ensure: (host) =>
          use.sysctl({ file: sysctlFile, values: forwarding(host, bridged(cluster)) }),
      }),
    ];
    if (settings.timeServers.length > 0)
      steps.push(
        step("time", {
          on: nodes,
          after: [each(installed)],
          ensure: use.timeSync({ servers: settings.timeServers }),
        }),
      );
    return steps;
  });
}

const packagesOf = ({ name }: ClusterHost, { controlPlane, settings }: Cluster): string[] => [
  ...packages,
  ...(settings.versions.runc === undefined ? ["runc"] : []),
  ...(controlPlane.hosts.includes(name) ? ["keepalived"] : []),
];

const hostEntries = ({ plan, nodes, settings }: Cluster) => [
  { address: plan.virtualIp, names: [settings.endpoint.name] },
  ...nodes.hosts.map((name) => ({ address: plan.hosts[name] ?? "", names: [name] })),
];

// A device that learns its default route loses it once the host forwards, unless it is told to go on (2).
const forwarding = ({ settings }: ClusterHost, bridge: boolean): Record<string, number> => ({
  ...(settings.uplink === undefined ? {} : { [`net.ipv6.conf.${settings.uplink}.accept_ra`]: 2 }),
  ...(bridge ? { "net.bridge.bridge-nf-call-ip6tables": 1 } : {}),
  "net.ipv6.conf.default.forwarding": 1,
  "net.ipv6.conf.all.forwarding": 1,
});

// Answers that stay on a bridge must pass the rules that changed their question's address.
const bridged = ({ settings }: Cluster): boolean => settings.network === "flannel";
