import { stringify } from "yaml";
import { familyOf } from "#engine/net/ip.ts";
import { podMaskOf } from "./address-rules.ts";
import { apiVersion, extraArgs, proxyMode, yamlStyle } from "./api-version.ts";
import type { InitConfig } from "./schema.ts";

/** How a host introduces itself; the same for init and join. */
export const nodeRegistration = (want: {
  nodeName: string;
  version: string;
  criSocket: string;
  advertiseAddress: string;
  ignorePreflightErrors: readonly string[];
}) => ({
  name: want.nodeName,
  criSocket: want.criSocket,
  // Unset, the kubelet takes the default IPv4 address where there is one.
  kubeletExtraArgs: extraArgs(want.version, { "node-ip": want.advertiseAddress }),
  ...(want.ignorePreflightErrors.length === 0
    ? {}
    : { ignorePreflightErrors: [...want.ignorePreflightErrors] }),
});

const GRACE_SECONDS = 16;

/**
 * Everything `kubeadm init` is told, as YAML. InitConfiguration comes last, so that a certificate key can be appended
 * to it on the host without ever leaving it.
 */
export const initConfig = (want: InitConfig): string =>
  [
    clusterConfiguration(want),
    kubeletConfiguration(want),
    proxyConfiguration(want),
    initConfiguration(want),
  ]
    .map((document) => stringify(document, yamlStyle))
    .join("---\n");

const initConfiguration = (want: InitConfig) => ({
  apiVersion: apiVersion(want.version),
  kind: "InitConfiguration",
  // Tokens for joins are minted when a join is pending; kubeadm insists on one of its own.
  bootstrapTokens: [{ description: "left over from kubeadm init", ttl: "10m0s" }],
  localAPIEndpoint: { advertiseAddress: want.advertiseAddress, bindPort: want.endpoint.port },
  nodeRegistration: nodeRegistration(want),
});

function clusterConfiguration(want: InitConfig) {
  const args = (flags: Record<string, string>) => ({ extraArgs: extraArgs(want.version, flags) });
  const ipv6 = familyOf(want.podSubnet) === "IPv6";
  return {
    apiVersion: apiVersion(want.version),
    kind: "ClusterConfiguration",
    kubernetesVersion: want.version,
    controlPlaneEndpoint: `${want.endpoint.name}:${want.endpoint.port}`,
    networking: {
      podSubnet: want.podSubnet,
      serviceSubnet: want.serviceSubnet,
      dnsDomain: want.dnsDomain,
    },
    ...(want.imageRepository === undefined ? {} : { imageRepository: want.imageRepository }),
    apiServer: { certSANs: [...want.certSANs] },
    // kubeadm derives etcd's and the API server's addresses from advertiseAddress, but leaves these two on 127.0.0.1.
    controllerManager: args({
      "bind-address": ipv6 ? "::1" : "127.0.0.1",
      [`node-cidr-mask-size-${ipv6 ? "ipv6" : "ipv4"}`]: String(podMaskOf(want)),
      "node-monitor-grace-period": `${want.nodeGraceSeconds ?? GRACE_SECONDS}s`,
      "node-monitor-period": "2s",
    }),
    scheduler: args({ "bind-address": ipv6 ? "::1" : "127.0.0.1" }),
  };
}

const kubeletConfiguration = (want: InitConfig) => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  address: "::",
  healthzBindAddress: familyOf(want.podSubnet) === "IPv6" ? "::1" : "127.0.0.1",
  clusterDNS: [want.clusterDns],
  // A kubelet renews its lease when a quarter of this has passed.
  nodeLeaseDurationSeconds: want.nodeGraceSeconds ?? GRACE_SECONDS,
  ...want.kubelet,
});

const proxyConfiguration = (want: InitConfig) => ({
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  bindAddress: "::",
  clusterCIDR: want.podSubnet,
  mode: proxyMode(want.version),
  metricsBindAddress: "[::]:10249",
  healthzBindAddress: "[::]:10256",
  ...want.kubeProxy,
});
