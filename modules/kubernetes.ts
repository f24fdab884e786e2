export {
  type AddressPlan,
  type AddressPlanInput,
  defineAddressPlan,
} from "./address-plan/address-plan.ts";
export { kubeadmInit } from "./kubeadm/init.ts";
export { kubeadmJoin } from "./kubeadm/join.ts";
export { kubeadmMembership } from "./kubeadm/membership.ts";
export { kubeadmStaleMembers } from "./kubeadm/stale-members.ts";
export { kubeadmToken } from "./kubeadm/token.ts";
