/** Whether pods reach each other across nodes. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { sameIp } from "#engine/net/ip.ts";
import { NodeName } from "../cluster-params.ts";
import { dialPath, getEach, httpUrl, readDial } from "./http.ts";
import { Target } from "./proof-targets.ts";
import { proof } from "./workload.ts";

export const podToPod = defineProbe({
  name: "pod-to-pod",
  summary: "This node's pod of the proof reaches the pod of every node, from its own address.",
  example: `use.podToPod({ node: "w1", pods: [{ node: "w1", nodeIp: "2001:db8:1::21", podIp: "2001:db8:2:1::2" }] })`,
  params: z.strictObject({
    node: NodeName.describe("This host's node."),
    pods: z.array(Target).describe("All pods of the proof, from proof-targets."),
  }),

  async check(host, want) {
    const from = want.pods.find(({ node }) => node === want.node);
    if (from === undefined) return { holds: false, saw: `no pod on ${want.node}` };
    const urls = want.pods.map(({ podIp }) =>
      httpUrl(
        from.podIp,
        proof.port,
        dialPath({ host: podIp, port: proof.port, request: "clientip" }),
      ),
    );
    const bodies = await getEach(host, urls);
    const wrong = want.pods.flatMap(({ node, podIp }, index) => {
      const { answer, error } = readDial(bodies[index] ?? "");
      if (error !== undefined) return `the pod on ${node} (${podIp}): ${error}`;
      // Nothing may hide who calls: policies and logs go by this address.
      const called = answer?.replace(/^\[|\]?:\d+$/g, "") ?? "";
      return sameIp(called, from.podIp) ? [] : `the pod on ${node} is called from ${called}`;
    });
    return wrong.length === 0
      ? { holds: true, saw: `reached ${want.pods.length} pods` }
      : {
          holds: false,
          saw: `from the pod on ${want.node}: ${wrong.join("; ")} (\`ip -6 route get\` on both nodes; is forwarding on?)`,
        };
  },
});
