/** Whether hosts reach pods and NodePorts. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { getEach, httpUrl } from "./http.ts";
import { Target } from "./proof-targets.ts";
import { proof } from "./workload.ts";

// A pod's own name, as /hostname answers it.
const isPodName = (body: string) => body.startsWith(`${proof.name}-`);

export const hostToPod = defineProbe({
  name: "host-to-pod",
  summary: "This host reaches the proof's pod of every node.",
  example: `use.hostToPod({
  pods: [{ node: "w1", nodeIp: "2001:db8:1::21", podIp: "2001:db8:2:1::2" }],
})`,
  params: z.strictObject({
    pods: z.array(Target).describe("All pods of the proof, from proof-targets."),
  }),

  async check(host, want) {
    const urls = want.pods.map(({ podIp }) => httpUrl(podIp, proof.port, "/hostname"));
    const bodies = await getEach(host, urls);
    const wrong = want.pods.flatMap(({ node, podIp }, index) => {
      const body = bodies[index] ?? "";
      return isPodName(body) ? [] : `the pod on ${node} (${podIp}): ${body || "no answer"}`;
    });
    return wrong.length === 0
      ? { holds: true, saw: `reached ${want.pods.length} pods` }
      : {
          holds: false,
          saw: `from ${host.name}: ${wrong.join("; ")} (\`ip -6 route get\` on both nodes)`,
        };
  },
});

export const hostToNodePort = defineProbe({
  name: "host-to-node-port",
  summary: "This host reaches the proof's Service at every node's address and NodePort.",
  example: `use.hostToNodePort({
  pods: [{ node: "w1", nodeIp: "2001:db8:1::21", podIp: "2001:db8:2:1::2" }],
  nodePort: 32747,
})`,
  params: z.strictObject({
    pods: z.array(Target).describe("All pods of the proof, from proof-targets."),
    nodePort: z.int().min(1).describe("From proof-targets."),
  }),

  async check(host, want) {
    const urls = want.pods.map(({ nodeIp }) => httpUrl(nodeIp, want.nodePort, "/hostname"));
    const bodies = await getEach(host, urls);
    const wrong = want.pods.flatMap(({ node, nodeIp }, index) => {
      const body = bodies[index] ?? "";
      return isPodName(body) ? [] : `${node} (${nodeIp}): ${body || "no answer"}`;
    });
    return wrong.length === 0
      ? { holds: true, saw: `port ${want.nodePort} answers at ${want.pods.length} nodes` }
      : {
          holds: false,
          saw: `from ${host.name}, port ${want.nodePort} of ${wrong.join("; ")} (kube-proxy on that node; a firewall between)`,
        };
  },
});
