import { stringify } from "yaml";
import type { NetworkIdentity } from "../network/network.ts";
import { addressPlan, ipv4Plan } from "../plan/address-plan.ts";

/** The netplan file that a fresh host boots with: one static address, a gateway, nothing learned from routers. */
export function netplanFile(lab: NetworkIdentity, index: number): string {
  const plan = addressPlan(lab.name);
  const routes = [{ to: "default", via: plan.gateway }];
  const addresses = [`${plan.host(index)}/64`];
  if (lab.dualStack) {
    addresses.push(`${ipv4Plan.host(index)}/24`);
    routes.push({ to: "default", via: ipv4Plan.gateway });
  }
  const eth0 = { addresses, routes, "accept-ra": false, "link-local": ["ipv6"] };
  return stringify({ network: { version: 2, ethernets: { eth0 } } });
}
