/** Whether the proof's workload runs everywhere. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { NodeName } from "../cluster-params.ts";
import { readTargets } from "./proof-targets.ts";
import { proof } from "./workload.ts";

export const proofWorkloadReady = defineProbe({
  name: "proof-workload-ready",
  summary: "A pod of the network proof is ready on every node; asked on a control plane.",
  example: `use.proofWorkloadReady({ nodes: ["cp1", "w1"] })`,
  params: z.strictObject({ nodes: z.array(NodeName).min(1).describe("Their names.") }),

  async check(host, want) {
    const { pods } = await readTargets(host);
    const without = want.nodes.filter((name) => !pods.some(({ node }) => node === name));
    return without.length === 0
      ? { holds: true, saw: `a pod is ready on each of ${want.nodes.length} nodes` }
      : {
          holds: false,
          saw: `no ready pod on ${without.join(", ")} (kubectl -n ${proof.namespace} describe pods)`,
        };
  },
});
