/** What the cluster knows of its nodes. */
import { z } from "zod";
import { defineModule, PlaybookError } from "#engine/index.ts";
import { NodeName } from "../cluster-params.ts";
import { readNodes } from "./read-nodes.ts";

export const clusterNodes = defineModule({
  name: "cluster-nodes",
  summary: "Find out each node's address and pod prefix; run on a control plane.",
  example: `use.clusterNodes({ nodes: ["cp1", "w1"] })`,
  params: z.strictObject({
    nodes: z.array(NodeName).describe("Their names; each must be registered."),
  }),
  outputs: z.object({
    nodes: z.array(z.object({ name: z.string(), address: z.string(), podCidr: z.string() })),
  }),

  async read(host, want) {
    const found = await readNodes(host);
    return {
      nodes: want.nodes.map((name) => {
        const node = found.find((one) => one.name === name);
        const [podCidr] = node?.podCidrs ?? [];
        const [address] = node?.addresses ?? [];
        if (podCidr === undefined || address === undefined) {
          const why = node === undefined ? "it is not registered" : "it has no pod prefix";
          throw new PlaybookError("PB_CLUSTER_READ", [`The node ${name}`, why]);
        }
        return { name, address, podCidr };
      }),
    };
  },

  *diff() {},

  *undo() {},
});
