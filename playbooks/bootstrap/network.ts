/** The pod network: only with it are nodes Ready. */
import type { AnyStep } from "run-playbook";
import * as use from "run-playbook/modules";
import type { Cluster, ClusterPlay } from "../cluster.ts";

/** Declares the phase; what comes back says that all nodes are Ready. */
export function network(play: ClusterPlay, cluster: Cluster, members: readonly AnyStep[]): AnyStep {
  const { step, gate, phase } = play;
  const { nodes, controlPlane, workers } = cluster;
  return phase("network", () => {
    const found = step("pod prefixes", {
      on: controlPlane.first,
      after: members,
      ensure: use.clusterNodes({ nodes: [...nodes.hosts] }),
    });
    const routed = step("pod network", {
      on: nodes,
      ensure: (host) => use.cniRouted({ node: host.name, nodes: found.out.nodes }),
    });
    const labels = step("worker labels", {
      on: workers,
      via: controlPlane.first,
      after: members,
      ensure: (host) =>
        use.nodeLabels({ node: host.name, labels: { "node-role.kubernetes.io/worker": "" } }),
    });
    const healthy = gate("etcd is whole", {
      on: controlPlane.first,
      after: members,
      within: "1m",
      until: use.etcdHealthy({ members: [...controlPlane.hosts] }),
    });
    return gate("all nodes are Ready", {
      on: controlPlane.first,
      after: [routed, labels, healthy],
      within: "3m",
      until: use.nodesReady({ nodes: [...nodes.hosts] }),
    });
  });
}
