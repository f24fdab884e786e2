/** A cluster as a production site describes it: copy this file, and put your own hosts and prefixes in. */
import { defineInventory } from "run-playbook";

export default defineInventory({
  hosts: {
    cp1: { address: "2001:db8:1::11" },
    cp2: { address: "2001:db8:1::12" },
    cp3: { address: "2001:db8:1::13" },
    w1: { address: "2001:db8:1::21" },
    w2: {
      // ssh knows it by a name; the node's own address is then named too.
      address: "w2.example.net",
      settings: { address: "2001:db8:1::22" },
    },
  },
  groups: {
    controlPlane: ["cp1", "cp2", "cp3"],
    workers: ["w1", "w2"],
  },
  // For every host that does not say otherwise: sudo as root, keys from ~/.ssh or the agent.
  defaults: { user: "admin" },
  settings: {
    addresses: {
      nodes: "2001:db8:1::/64",
      // One /64 for each node: room for 256.
      pods: "2001:db8:2::/56",
      services: "2001:db8:3::/112",
      virtualIp: "2001:db8:1::100",
    },
    endpoint: { name: "k8s-api.example.net" },
    versions: { kubernetes: "v1.36.3", runc: "v1.3.3" },
    // Sites without a way to the upstream addresses name a mirror of them:
    // source: { mirror: "https://mirror.example.net" },
    // registryMirrors: { "registry.k8s.io": ["https://registry.example.net"] },
    timeServers: ["2001:db8:1::123"],
  },
});
