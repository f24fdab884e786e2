export {
  type AddressPlan,
  type AddressPlanInput,
  defineAddressPlan,
} from "./address-plan/address-plan.ts";
export { apiReady } from "./api-ready/api-ready.ts";
export { clusterNodes } from "./cluster-nodes/cluster-nodes.ts";
export { cniFlannel } from "./cni-flannel/cni-flannel.ts";
export { flannelObjects } from "./cni-flannel/flannel-objects.ts";
export { flannelReady } from "./cni-flannel/flannel-ready.ts";
export { cniPlugins } from "./cni-plugins/cni-plugins.ts";
export { cniRouted } from "./cni-routed/cni-routed.ts";
export { containerd } from "./containerd/containerd.ts";
export { etcdHealthy } from "./etcd-healthy/etcd-healthy.ts";
export { etcdSnapshot } from "./etcd-snapshot/etcd-snapshot.ts";
export { snapshotVerified } from "./etcd-snapshot/snapshot-verified.ts";
export { etcdTools } from "./etcd-tools/etcd-tools.ts";
export { images } from "./images/images.ts";
export { nameServers } from "./ip-family/name-servers.ts";
export { noIpv4Address } from "./ip-family/no-ipv4-address.ts";
export { noIpv4OnlyListener } from "./ip-family/no-ipv4-only-listener.ts";
export { nodesSingleFamily } from "./ip-family/nodes-single-family.ts";
export { servicesSingleFamily } from "./ip-family/services-single-family.ts";
export { ipv4Watch } from "./ipv4-watch/ipv4-watch.ts";
export { noIpv4Traffic } from "./ipv4-watch/no-ipv4-traffic.ts";
export { Endpoint, KubernetesVersion } from "./kubeadm/config/schema.ts";
export { kubeadmInit } from "./kubeadm/init.ts";
export { kubeadmJoin } from "./kubeadm/join.ts";
export { kubeadmMembership } from "./kubeadm/membership.ts";
export { kubeadmReset } from "./kubeadm/reset.ts";
export { kubeadmStaleMembers } from "./kubeadm/stale-members.ts";
export { kubeadmToken } from "./kubeadm/token.ts";
export { kubeconfig } from "./kubeconfig/kubeconfig.ts";
export { kubernetesBinaries } from "./kubernetes-binaries/kubernetes-binaries.ts";
export { kubernetesObject } from "./kubernetes-object/kubernetes-object.ts";
export { hostToNodePort, hostToPod } from "./network-proof/from-host.ts";
export { podDns } from "./network-proof/pod-dns.ts";
export { podToPod } from "./network-proof/pod-to-pod.ts";
export { podToService } from "./network-proof/pod-to-service.ts";
export { proofTargets } from "./network-proof/proof-targets.ts";
export { proofWorkload } from "./network-proof/workload.ts";
export { proofWorkloadReady } from "./network-proof/workload-ready.ts";
export { nodeLabels } from "./node-labels/node-labels.ts";
export { nodesReady } from "./nodes-ready/nodes-ready.ts";
export { nodesRegistered } from "./nodes-ready/nodes-registered.ts";
export { Source, Version } from "./release.ts";
export { runc } from "./runc/runc.ts";
export { virtualIp } from "./virtual-ip/virtual-ip.ts";
