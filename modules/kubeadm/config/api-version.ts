import semver from "semver";

/** v1beta4 came with 1.31 and is all that 1.37 reads; before, v1beta3. */
export const apiVersion = (version: string): "kubeadm.k8s.io/v1beta4" | "kubeadm.k8s.io/v1beta3" =>
  semver.gte(version, "1.31.0") ? "kubeadm.k8s.io/v1beta4" : "kubeadm.k8s.io/v1beta3";

/** Flags of a component: a list of pairs since v1beta4, a map before. */
export const extraArgs = (
  version: string,
  flags: Readonly<Record<string, string>>,
): Record<string, string> | { name: string; value: string }[] =>
  apiVersion(version) === "kubeadm.k8s.io/v1beta4"
    ? Object.entries(flags).map(([name, value]) => ({ name, value }))
    : { ...flags };

/** kube-proxy's nftables mode is on by default since 1.31; before, it hides behind a feature gate. */
export const proxyMode = (version: string): "nftables" | "iptables" =>
  semver.gte(version, "1.31.0") ? "nftables" : "iptables";

// kubeadm reads YAML 1.1, where words such as `no` and numbers such as 1:20 need quotes.
export const yamlStyle = { lineWidth: 0, version: "1.1" } as const;
