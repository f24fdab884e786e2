/** Whether nodes are known, each with its share of the pod prefix. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { readNodes } from "../cluster-nodes/read-nodes.ts";

export const nodesRegistered = defineProbe({
  name: "nodes-registered",
  summary: "Every one of these nodes is registered and has a pod prefix; asked on a control plane.",
  example: `use.nodesRegistered({ nodes: ["cp1", "w1"] })`,
  params: z.strictObject({ nodes: z.array(z.string()).min(1).describe("Their names.") }),

  async check(host, want) {
    const found = await readNodes(host);
    const wrong = want.nodes.flatMap((name) => {
      const node = found.find((one) => one.name === name);
      if (node === undefined) return `${name} is not registered (journalctl -u kubelet on it)`;
      if (node.podCidrs.length > 0) return [];
      return `${name} has no pod prefix (the log of kube-controller-manager says why)`;
    });
    return wrong.length === 0
      ? { holds: true, saw: `${want.nodes.length} nodes are registered` }
      : { holds: false, saw: wrong.join("; ") };
  },
});
