/** Whether nodes do their work. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { readNodes } from "../cluster-nodes/read-nodes.ts";

export const nodesReady = defineProbe({
  name: "nodes-ready",
  summary: "Every one of these nodes is registered and Ready; asked on a control plane.",
  example: `use.nodesReady({ nodes: ["cp1", "w1"] })`,
  params: z.strictObject({ nodes: z.array(z.string()).min(1).describe("Their names.") }),

  async check(host, want) {
    const found = await readNodes(host);
    const wrong = want.nodes.flatMap((name) => {
      const node = found.find((one) => one.name === name);
      if (node === undefined) return `${name} is not registered (journalctl -u kubelet on it)`;
      return node.ready ? [] : `${name}: ${node.message}`;
    });
    return wrong.length === 0
      ? { holds: true, saw: `${want.nodes.length} nodes are Ready` }
      : { holds: false, saw: wrong.join("; ") };
  },
});
