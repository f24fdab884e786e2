import { HostAddr } from "#engine/net/host-addr.ts";

/** Where kubeadm keeps things, and where we note what we began. */
export const adminConf = "/etc/kubernetes/admin.conf";
export const kubeletConf = "/etc/kubernetes/kubelet.conf";
export const caCert = "/etc/kubernetes/pki/ca.crt";

/**
 * There from before kubeadm starts until it has succeeded. What lies on a host beside it was left by an interrupted
 * run of ours, so it may be reset; without it, only a person may decide that.
 */
export const pendingMark = "/var/lib/run-playbook/kubeadm.pending";

/** The key of the uploaded certificates: in memory, so gone with a reboot. */
export const certificateKeyFile = "/run/run-playbook-kubeadm/certificate-key";

export const logFolder = "/var/log/run-playbook";

/** An address as URLs hold it. */
export const inUrl = (address: string): string => HostAddr.parse(address).url();
