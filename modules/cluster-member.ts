import type { Host } from "#engine/index.ts";

/** What every kubeadm member has, and nothing else has. */
export const KUBELET_CONF = "/etc/kubernetes/kubelet.conf";

/** Whether the host is a member of a Kubernetes cluster: its address and name are then part of certificates. */
export const isClusterMember = async (host: Host): Promise<boolean> =>
  (await host.stat(KUBELET_CONF)) !== undefined;
