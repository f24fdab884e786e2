/** The cluster's DNS as kubeadm deploys it, made to outlive the loss of a node. */
import semver from "semver";

/** Where kubeadm puts CoreDNS, and how its pods are found. */
export const clusterDns = {
  namespace: "kube-system",
  deployment: "coredns",
  service: "kube-dns",
  labels: { "k8s-app": "kube-dns" },
} as const;

/** Seconds that a DNS pod stays bound to a node that is lost, before another node gets it; Kubernetes waits 300. */
const LOST_NODE_SECONDS = 20;

/** Above this many replicas, a lost one is too small a share of all answers to be worth another. */
const MAX_REPLICAS = 5;

/** How many replicas a cluster of this many nodes has: one on each, so that nearly all questions stay on their node. */
export const clusterDnsReplicas = (nodes: number): number => Math.min(nodes, MAX_REPLICAS);

/** What the cluster's DNS is to be. */
export interface ClusterDnsWant {
  readonly replicas: number;
  /** Of Kubernetes, with its v. */
  readonly version: string;
}

/**
 * Manifests for kubernetes-object, laid over kubeadm's own: they name only what they change, and the rest stays
 * kubeadm's. Replicas are on different nodes (anti-affinity that is required, where kubeadm only prefers it: on a new
 * cluster every replica went to the first node that was Ready), and questions go to the replica of their own node
 * where there is one (KEP-3015, PreferSameNode): from Kubernetes 1.34 on, as older API servers refuse it.
 *
 * @example use.kubernetesObject({ objects: use.clusterDnsObjects({ replicas: 3, version: "v1.36.3" }) })
 */
export const clusterDnsObjects = ({ replicas, version }: ClusterDnsWant) => [
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: clusterDns.deployment, namespace: clusterDns.namespace },
    spec: {
      replicas,
      // kubectl refuses a Deployment without these: they are as kubeadm has them.
      selector: { matchLabels: clusterDns.labels },
      template: {
        metadata: { labels: clusterDns.labels },
        spec: { containers: [{ name: clusterDns.deployment }], affinity: apart, tolerations },
      },
    },
  },
  {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: clusterDns.deployment, namespace: clusterDns.namespace },
    spec: { maxUnavailable: 1, selector: { matchLabels: clusterDns.labels } },
  },
  ...(semver.gte(version, "1.34.0") ? [ownNodeFirst] : []),
];

const ownNodeFirst = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: clusterDns.service, namespace: clusterDns.namespace },
  spec: { trafficDistribution: "PreferSameNode" },
};

const apart = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      {
        topologyKey: "kubernetes.io/hostname",
        labelSelector: { matchLabels: clusterDns.labels },
      },
    ],
  },
};

// The list replaces kubeadm's as a whole, so kubeadm's own come first.
const tolerations = [
  { key: "CriticalAddonsOnly", operator: "Exists" },
  { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
  ...["not-ready", "unreachable"].map((state) => ({
    key: `node.kubernetes.io/${state}`,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: LOST_NODE_SECONDS,
  })),
];
