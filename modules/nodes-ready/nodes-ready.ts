/** Whether nodes do their work. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { NodeName } from "../cluster-params.ts";
import { askNodes } from "./ask-nodes.ts";

export const nodesReady = defineProbe({
  name: "nodes-ready",
  summary: "Every one of these nodes is registered and Ready; asked on a control plane.",
  example: `use.nodesReady({ nodes: ["cp1", "w1"] })`,
  params: z.strictObject({ nodes: z.array(NodeName).min(1).describe("Their names.") }),

  check: (host, want) =>
    askNodes(host, want.nodes, {
      being: "Ready",
      fault: ({ ready, name, message }) => (ready ? undefined : `${name}: ${message}`),
    }),
});
