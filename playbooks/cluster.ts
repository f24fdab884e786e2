/** What an inventory says of a cluster, and what follows from it: shared by the playbooks of a cluster's life. */
import type { HostSet, Play, PlayHost } from "run-playbook";
import * as use from "run-playbook/modules";
import { z } from "zod";

const Addresses = z.strictObject({
  nodes: z.string().describe("The hosts' own network."),
  pods: z.string().describe("Cut into one block per node."),
  podMask: z.int().optional().describe("A node's block; 64 unless given."),
  services: z.string().describe("At most /108; /112 is a good size."),
  virtualIp: z.string().describe("The API's address, on no host."),
});

const Versions = z.strictObject({
  kubernetes: use.KubernetesVersion.default("v1.36.3"),
  etcd: use.Version.default("v3.6.8").describe(
    "Of etcdctl and etcdutl; the server's is kubeadm's.",
  ),
  containerd: use.Version.default("v2.2.1"),
  runc: use.Version.optional().describe("The distribution's package unless given."),
  cniPlugins: use.Version.default("v1.9.1"),
  flannel: use.Version.default("v0.26.7"),
});

/** What a lab cannot do as a production host would; every default is the production host's. */
const Quirks = z.strictObject({
  ignorePreflightErrors: z.array(z.string()).default([]),
  kubelet: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("KubeletConfiguration, laid over."),
  kubeProxy: z.record(z.string(), z.unknown()).default({}).describe("The same for kube-proxy."),
  cgroupDriver: z.enum(["systemd", "cgroupfs"]).default("systemd"),
  restrictOomScoreAdj: z.boolean().default(false),
});

/** `settings` of an inventory that describes a cluster. */
export const ClusterSettings = z.strictObject({
  addresses: Addresses,
  endpoint: use.Endpoint.describe("The API's name; nodes know it through their hosts files."),
  versions: Versions.prefault({}),
  source: use.Source.default({}).describe("Where programs come from; upstream unless given."),
  registryMirrors: z.record(z.string(), z.array(z.string())).default({}),
  network: z.enum(["routed", "flannel"]).default("routed").describe("How pods reach other nodes."),
  timeServers: z.array(z.string()).default([]).describe("The system's own choice unless given."),
  proofImage: z.string().default("registry.k8s.io/e2e-test-images/agnhost:2.63.0"),
  snapshots: z
    .strictObject({
      dir: z.string().default("/var/backups/etcd"),
      maxAgeHours: z.number().default(24),
    })
    .prefault({}),
  quirks: Quirks.prefault({}),
});

/** `settings` of one host. */
export const NodeSettings = z
  .strictObject({
    address: z.string().optional().describe("The node's address, where ssh uses a name."),
    uplink: z
      .string()
      .optional()
      .describe("A device that learns its default route from router advertisements."),
  })
  .prefault({});

export type Settings = z.output<typeof ClusterSettings>;
type NodeSettings = z.output<typeof NodeSettings>;

/** Where the kernel parameters of nodes are kept. */
export const sysctlFile = "/etc/sysctl.d/90-cluster.conf";

/** The groups that a cluster's inventory has. */
export const groups = ["controlPlane", "workers"] as const;
type Group = (typeof groups)[number];

/** What a cluster's playbook is built from. */
export type ClusterPlay<P = unknown> = Play<Group, P, Settings, NodeSettings>;
export type ClusterHost = PlayHost<NodeSettings>;

/** The cluster that an inventory describes, as the phases of a playbook need it. */
export interface Cluster {
  readonly settings: Settings;
  readonly plan: use.AddressPlan;
  readonly nodes: HostSet<"many">;
  readonly controlPlane: HostSet<"many">;
  readonly workers: HostSet<"many">;
  /** Of the cluster's DNS, each on another node. */
  readonly dnsReplicas: number;
  /** Where the API is called from anywhere: by address, so that no name has to be known there. */
  readonly server: string;
  addressOf(host: { readonly name: string }): string;
}

/** Checks the address plan and gathers what every phase wants to know. @throws PB_ADDRESS_PLAN */
export function clusterOf({ hosts, groups: sets, settings }: ClusterPlay): Cluster {
  const { controlPlane, workers } = sets;
  const nodes = controlPlane.and(workers);
  const addresses = hosts
    .filter(({ name }) => nodes.hosts.includes(name))
    .map(({ name, address, settings: own }) => [name, own.address ?? bare(address)] as const);
  const plan = use.defineAddressPlan({
    ...settings.addresses,
    hosts: Object.fromEntries(addresses),
  });
  const { port } = settings.endpoint;
  const virtualIp = plan.family === "IPv6" ? `[${plan.virtualIp}]` : plan.virtualIp;
  return {
    settings,
    plan,
    nodes,
    controlPlane,
    workers,
    dnsReplicas: use.clusterDnsReplicas(nodes.hosts.length),
    server: `https://${virtualIp}:${port}`,
    addressOf: ({ name }) => plan.hosts[name] ?? "",
  };
}

// As ssh takes it: "[2001:db8::1]".
const bare = (address: string) => address.replace(/^\[|\]$/g, "");
