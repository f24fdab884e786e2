/** The pod network: only with it are nodes Ready. */
import type { AnyStep, Ref } from "run-playbook";
import * as use from "run-playbook/modules";
import type { Cluster, ClusterPlay } from "../cluster.ts";

/** Declares the phase; what comes back says that all nodes are Ready. */
export function network(play: ClusterPlay, cluster: Cluster, members: readonly AnyStep[]): AnyStep {
  const { step, gate, phase } = play;
  const { nodes, controlPlane, workers, settings } = cluster;
  return phase("network", () => {
    const found = step("pod prefixes", {
      on: controlPlane.first,
      after: members,
      ensure: use.clusterNodes({ nodes: [...nodes.hosts] }),
    });
    const pods =
      settings.network === "flannel"
        ? overlay(play, cluster, { members, nodes: found.out.nodes })
        : step("pod network", {
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
      after: [pods, labels, healthy],
      within: "3m",
      until: use.nodesReady({ nodes: [...nodes.hosts] }),
    });
  });
}

interface Known {
  readonly members: readonly AnyStep[];
  readonly nodes: Ref<{ name: string; address: string; podCidr: string }[]>;
}

// flannel runs as pods on the hosts' own network, so it comes before there is any other; then pods get their bridge.
function overlay({ step, gate }: ClusterPlay, cluster: Cluster, known: Known): AnyStep {
  const { controlPlane, nodes, plan, settings } = cluster;
  const deployed = step("flannel", {
    on: controlPlane.first,
    after: known.members,
    ensure: use.kubernetesObject({
      objects: use.flannelObjects({ image: flannelImage(settings), pods: plan.pods }),
    }),
  });
  const running = gate("flannel runs", {
    on: nodes,
    after: [deployed],
    within: "3m",
    until: use.flannelReady({}),
  });
  return step("pod network", {
    on: nodes,
    after: [running],
    ensure: (host) => use.cniFlannel({ node: host.name, nodes: known.nodes }),
  });
}

const flannelImage = ({ versions }: Cluster["settings"]): string =>
  `ghcr.io/flannel-io/flannel:${versions.flannel}`;
