import { z } from "zod";
import { holdsSecret } from "#engine/index.ts";
import { Address, HostAddress, Network } from "../../address.ts";
import { ImageRef, NodeName } from "../../cluster-params.ts";
import { DnsName, isPlainPath } from "../../params.ts";

export const KubernetesVersion = z
  .string()
  .regex(/^v\d+\.\d+\.\d+$/, "expected a version such as v1.36.3");

/** The API's one name: every node and kubeconfig uses it, so that the address behind it can change. */
export const Endpoint = z.strictObject({
  name: DnsName.refine(
    (name) => !/^[\d.]+$/.test(name),
    "expected a DNS name: an address here would be baked into every kubeconfig and certificate",
  ),
  port: z.int().min(1).max(65_535).default(6443),
});

/**
 * Fields of KubeletConfiguration or KubeProxyConfiguration, laid over ours. What only YAML 1.1 takes for the end of a
 * line is written by YAML 1.2 as it is: kubeadm would read another field there.
 */
const Overrides = z
  .record(z.string(), z.unknown())
  .refine((fields) => !holdsSecret(fields), {
    message: "expected no secret: kubeadm keeps this in a ConfigMap that every node may read",
    abort: true,
  })
  .refine(
    (fields) => !/[\x85\u2028\u2029\ufeff]/.test(JSON.stringify(fields)),
    "expected no line ends but \\n",
  )
  .refine(
    (fields) => !hasMerge(fields),
    "expected no field <<: YAML 1.1 lays its value over the others",
  );

function hasMerge(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, part]) => key === "<<" || hasMerge(part));
}

/** What init and join both tell kubeadm about the host. */
export const NodeParams = {
  version: KubernetesVersion.describe("Of Kubernetes, with its v."),
  advertiseAddress: HostAddress.describe("The node's own address; one, without brackets."),
  criSocket: z
    .string()
    .regex(
      /^(unix:\/\/)?\/[\w./@:+-]+$/,
      "expected a socket, as unix:///run/containerd/containerd.sock",
    )
    .refine(
      (socket) => isPlainPath(socket.replace(/^unix:\/\//, "")),
      "expected a path without //, /./, /../ or a slash at its end",
    )
    .default("unix:///run/containerd/containerd.sock")
    .describe("The runtime's socket, with its scheme."),
  ignorePreflightErrors: z
    .array(z.string().regex(/^\w[\w.-]*$/, "expected the name of a check, as Swap"))
    .default([])
    .describe("Preflight checks that may fail; none on a production host."),
};

/** What a new cluster is. */
export const ClusterParams = {
  endpoint: Endpoint.describe("The API's one name: every node and kubeconfig uses it."),
  podSubnet: Network.describe("The cluster's pod prefix."),
  serviceSubnet: Network.describe("The Service prefix, /108 or longer."),
  podMask: z
    .int()
    .min(1)
    .max(128)
    .optional()
    .describe("A node's share of podSubnet; 64 (IPv4: 24) unless given."),
  clusterDns: HostAddress.describe("The tenth address of serviceSubnet."),
  certSANs: z
    .array(z.union([Address, DnsName]))
    .default([])
    .describe("Every address and name by which the API is called; no brackets."),
  dnsDomain: DnsName.default("cluster.local").describe("The domain of Services."),
  imageRepository: ImageRef.min(1)
    .optional()
    .describe("In place of registry.k8s.io; a runtime's mirror needs none."),
  nodeGraceSeconds: z
    .int()
    .min(8)
    .max(300)
    .optional()
    .describe(
      "16 in a new cluster unless said, a standing one keeps its own: after this many seconds of silence a node counts as lost, and its pods get no more traffic (Kubernetes: 50); kubelets report four times as often.",
    ),
  kubelet: Overrides.default({}).describe("Fields of KubeletConfiguration, laid over ours."),
  kubeProxy: Overrides.default({}).describe("Fields of KubeProxyConfiguration, laid over ours."),
};

const Init = z.strictObject({ nodeName: NodeName, ...NodeParams, ...ClusterParams });
export type InitConfig = z.output<typeof Init>;
