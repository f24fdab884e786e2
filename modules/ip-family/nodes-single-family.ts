/** Whether nodes are known by one family's addresses only. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { familyOf } from "#engine/net/ip.ts";
import { readNodes } from "../cluster-nodes/read-nodes.ts";
import { Family } from "./family.ts";

export const nodesSingleFamily = defineProbe({
  name: "nodes-single-family",
  summary: "Every node has InternalIPs and a pod prefix of one family only.",
  example: `use.nodesSingleFamily({ family: "IPv6" })`,
  params: z.strictObject({ family: Family }),

  async check(host, want) {
    const nodes = await readNodes(host);
    const wrong = nodes.flatMap(({ name, addresses, podCidrs }) => {
      const other = [...addresses, ...podCidrs].filter((text) => familyOf(text) !== want.family);
      if (other.length > 0) return `${name} has ${other.join(", ")} (see its kubelet's --node-ip)`;
      return addresses.length > 0 ? [] : `${name} has no address`;
    });
    return wrong.length === 0
      ? { holds: true, saw: `${nodes.length} nodes have ${want.family} addresses only` }
      : { holds: false, saw: wrong.join("; ") };
  },
});
