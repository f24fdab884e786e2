import type { ErrorSpecs } from "../spec.ts";

/** Address plans and clusters: what is wrong before a host is touched, and what a host must not be made to lose. */
export const kubernetesErrors = {
  PB_ADDRESS_PLAN: {
    message: (what: string, why: string) => `The address plan does not work: ${what} ${why}.`,
    hint: "Mend the prefix where the plan is declared: nothing was touched yet.",
  },
  PB_FOREIGN_CLUSTER: {
    message: (host: string, cluster: string) => `${host} is in another cluster: ${cluster}.`,
    hint: "Take the host out of that cluster first (drain it, delete its node, run reset.ts on it), or drop it from this inventory.",
  },
  PB_CLUSTER_EXISTS: {
    message: (host: string, endpoint: string) =>
      `${host} was to begin a new cluster, but a cluster already answers at ${endpoint}.`,
    hint: "Put a control plane that is in that cluster first in its group: this host then joins. For a second cluster choose another endpoint.",
  },
  PB_CLUSTER_DOWN: {
    message: (host: string, found: string) =>
      `${host} holds a cluster that does not answer: ${found}.`,
    hint: "Start it (`systemctl status kubelet containerd`, `journalctl -u kubelet`) or restore etcd; only if nobody needs its data, run reset.ts on the host.",
  },
  PB_CLUSTER_DIFFERS: {
    message: (host: string, differences: readonly string[]) =>
      `The cluster that ${host} is in is not as wanted: ${differences.join("; ")}.`,
    hint: "A standing cluster is not changed by beginning it: say in the playbook what it has, or change it by kubeadm's own ways (`kubeadm upgrade`, `kubeadm init phase certs apiserver`, its ConfigMaps in kube-system) and run again.",
  },
  PB_PORT_TAKEN: {
    message: (host: string, port: number, owner: string) =>
      `Port ${port} on ${host} is taken by ${owner}.`,
    hint: "Stop and disable that program, or move it to another port; Kubernetes needs this one.",
  },
  PB_KUBEADM_BUSY: {
    message: (host: string, command: string, seconds: number) =>
      `kubeadm is still at work on ${host} after ${seconds} s: ${command}.`,
    hint: "Wait for it or end it, then run again; see /var/log/run-playbook on the host.",
  },
  PB_CLUSTER_READ: {
    message: (what: string, why: string) => `${what} could not be read from the cluster: ${why}.`,
    hint: "Check that the API server answers: `kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /readyz?verbose`.",
  },
} satisfies ErrorSpecs;
