/** What kubeadm is told in tests: one control plane, whose cluster and joins vary in what a test is about. */
import { Secret } from "#engine/index.ts";
import { initConfig } from "#modules/kubeadm/config/init-config.ts";
import { type JoinConfig, joinConfig } from "#modules/kubeadm/config/join-config.ts";
import type { InitConfig } from "#modules/kubeadm/config/schema.ts";

const node = {
  nodeName: "cp1",
  advertiseAddress: "2001:db8:1::11",
  criSocket: "unix:///run/containerd/containerd.sock",
  ignorePreflightErrors: ["Mem"],
};

export const certificateKey = new Secret("0123456789abcdef".repeat(4));

/** The configuration of `kubeadm init`. */
export const initDocument = (version: string, change: Partial<InitConfig> = {}): string =>
  initConfig({
    ...node,
    version,
    endpoint: { name: "api.example.net", port: 6443 },
    podSubnet: "2001:db8:2::/56",
    serviceSubnet: "2001:db8:3::/112",
    podMask: 64,
    clusterDns: "2001:db8:3::a",
    certSANs: ["api.example.net", "2001:db8:1::100"],
    dnsDomain: "cluster.local",
    nodeGraceSeconds: 16,
    kubelet: {},
    kubeProxy: {},
    ...change,
  });

/** The configuration of `kubeadm join`, still a secret. */
export const joinDocument = (version: string, change: Partial<JoinConfig> = {}): Secret =>
  joinConfig({
    ...node,
    version,
    endpoint: { name: "api.example.net", port: 6443 },
    caCertHash: `sha256:${"0".repeat(64)}`,
    token: new Secret("abcdef.0123456789abcdef"),
    ...change,
  });
