/** Whether nodes are known, each with its share of the pod prefix. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { NodeName } from "../cluster-params.ts";
import { askNodes } from "./ask-nodes.ts";

export const nodesRegistered = defineProbe({
  name: "nodes-registered",
  summary: "Every one of these nodes is registered and has a pod prefix; asked on a control plane.",
  example: `use.nodesRegistered({ nodes: ["cp1", "w1"] })`,
  params: z.strictObject({ nodes: z.array(NodeName).min(1).describe("Their names.") }),

  check: (host, want) =>
    askNodes(host, want.nodes, {
      being: "registered",
      fault: ({ podCidrs, name }) =>
        podCidrs.length > 0
          ? undefined
          : `${name} has no pod prefix (the log of kube-controller-manager says why)`,
    }),
});
