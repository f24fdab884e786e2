/** The proof: everything that a cluster promises is tried, and IPv4 is shown to be out of use. */
import { type AnyStep, each } from "run-playbook";
import * as use from "run-playbook/modules";
import type { Cluster, ClusterPlay } from "../cluster.ts";

/** Declares the phase: each claim is a gate of its own, so that a failure names what is broken. */
export function proof(
  play: ClusterPlay,
  cluster: Cluster,
  { ready, saved }: { ready: AnyStep; saved: AnyStep },
): void {
  const { phase, gate } = play;
  const { controlPlane, settings } = cluster;
  phase("proof", () => {
    connected(play, cluster, ready);
    gate("nodes have IPv6 addresses only", {
      on: controlPlane.first,
      after: [ready],
      within: "10s",
      until: use.nodesSingleFamily({ family: "IPv6" }),
    });
    gate("Services are IPv6 only", {
      on: controlPlane.first,
      after: [ready],
      within: "10s",
      until: use.servicesSingleFamily({ services: ["default/kubernetes", "kube-system/kube-dns"] }),
    });
    gate("DNS is on different nodes", {
      on: controlPlane.first,
      after: [ready],
      within: "3m",
      until: use.clusterDnsSpread({ replicas: cluster.dnsReplicas }),
    });
    gate("the snapshot is whole", {
      on: controlPlane.first,
      after: [saved],
      within: "1m",
      until: use.snapshotVerified({ dir: settings.snapshots.dir }),
    });
  });
}

function connected(play: ClusterPlay, cluster: Cluster, ready: AnyStep): void {
  const { step, gate } = play;
  const { nodes, plan } = cluster;
  const counted = step("count IPv4 packets", {
    on: nodes,
    after: [ready],
    ensure: use.ipv4Watch({}),
  });
  const targets = workload(play, cluster, ready);
  const { pods, serviceIp, nodePort } = targets.out;
  const common = { on: nodes, after: [each(counted)], within: "1m" } as const;
  const gates = [
    gate("pods resolve names over IPv6", {
      ...common,
      until: ({ name }) => use.podDns({ node: name, pods, expect: plan.apiServerServiceIp }),
    }),
    gate("pods reach pods", { ...common, until: ({ name }) => use.podToPod({ node: name, pods }) }),
    gate("pods reach Services", {
      ...common,
      until: ({ name }) => use.podToService({ node: name, pods, serviceIp }),
    }),
    gate("hosts reach pods", { ...common, until: use.hostToPod({ pods }) }),
    gate("hosts reach NodePorts", { ...common, until: use.hostToNodePort({ pods, nodePort }) }),
  ];
  gate("no IPv4 address", {
    on: nodes,
    after: [ready],
    within: "10s",
    until: use.noIpv4Address({}),
  });
  gate("no listener for IPv4 only", {
    on: nodes,
    after: [ready],
    within: "10s",
    until: use.noIpv4OnlyListener({}),
  });
  gate("no IPv4 packet", {
    on: nodes,
    after: gates,
    within: "5s",
    until: use.noIpv4Traffic({}),
  });
}

function workload({ step, gate }: ClusterPlay, cluster: Cluster, ready: AnyStep) {
  const { controlPlane, nodes, settings } = cluster;
  const applied = step("proof workload", {
    on: controlPlane.first,
    after: [ready],
    ensure: use.kubernetesObject({ objects: use.proofWorkload(settings.proofImage) }),
  });
  const running = gate("proof workload runs", {
    on: controlPlane.first,
    after: [applied],
    within: "3m",
    until: use.proofWorkloadReady({ nodes: [...nodes.hosts] }),
  });
  return step("proof targets", {
    on: controlPlane.first,
    after: [running],
    ensure: use.proofTargets({ nodes: [...nodes.hosts] }),
  });
}
