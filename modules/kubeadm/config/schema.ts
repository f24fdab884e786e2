import { z } from "zod";

export const KubernetesVersion = z
  .string()
  .regex(/^v\d+\.\d+\.\d+$/, "expected a version such as v1.36.3");

/** The API's one name: every node and kubeconfig uses it, so that the address behind it can change. */
export const Endpoint = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
      "expected a DNS name: an address here would be baked into every kubeconfig and certificate",
    ),
  port: z.int().min(1).max(65_535).default(6443),
});

/** Fields of KubeletConfiguration or KubeProxyConfiguration, laid over ours. */
const Overrides = z.record(z.string(), z.unknown());

/** What init and join both tell kubeadm about the host. */
export const NodeParams = {
  version: KubernetesVersion,
  advertiseAddress: z.string().describe("The node's own address; one, without brackets."),
  criSocket: z.string().default("unix:///run/containerd/containerd.sock"),
  ignorePreflightErrors: z
    .array(z.string())
    .default([])
    .describe("Preflight checks that may fail; none on a production host."),
};

/** What a new cluster is. */
export const ClusterParams = {
  endpoint: Endpoint,
  podSubnet: z.string(),
  serviceSubnet: z.string(),
  podMask: z.int().default(64).describe("A node's share of podSubnet."),
  clusterDns: z.string().describe("The tenth address of serviceSubnet."),
  certSANs: z
    .array(z.string())
    .default([])
    .describe("Every address and name by which the API is called; no brackets."),
  dnsDomain: z.string().default("cluster.local"),
  imageRepository: z.string().optional(),
  kubelet: Overrides.default({}),
  kubeProxy: Overrides.default({}),
};

const Init = z.strictObject({ nodeName: z.string(), ...NodeParams, ...ClusterParams });
export type InitConfig = z.output<typeof Init>;
