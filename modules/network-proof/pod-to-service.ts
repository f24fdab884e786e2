/** Whether pods reach Services. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { HostAddress } from "../address.ts";
import { NodeName } from "../cluster-params.ts";
import { dialPath, getEach, httpUrl, readDial } from "./http.ts";
import { Target } from "./proof-targets.ts";
import { proof } from "./workload.ts";

export const podToService = defineProbe({
  name: "pod-to-service",
  summary: "This node's pod of the proof reaches the proof's Service, by address and by name.",
  example: `use.podToService({ node: "w1", pods: [{ node: "w1", nodeIp: "2001:db8:1::21", podIp: "2001:db8:2:1::2" }], serviceIp: "2001:db8:3::77" })`,
  params: z.strictObject({
    node: NodeName.describe("This host's node."),
    pods: z.array(Target).describe("All pods of the proof, from proof-targets."),
    serviceIp: HostAddress.describe("From proof-targets."),
  }),

  async check(host, want) {
    const from = want.pods.find(({ node }) => node === want.node);
    if (from === undefined) return { holds: false, saw: `no pod on ${want.node}` };
    const targets = [want.serviceIp, `${proof.name}.${proof.namespace}.svc`];
    const urls = targets.map((to) =>
      httpUrl(from.podIp, proof.port, dialPath({ host: to, port: 80, request: "hostname" })),
    );
    const bodies = await getEach(host, urls);
    const wrong = targets.flatMap((to, index) => {
      const { error } = readDial(bodies[index] ?? "");
      return error === undefined ? [] : `${to}: ${error}`;
    });
    return wrong.length === 0
      ? { holds: true, saw: `reached ${targets.join(" and ")}` }
      : {
          holds: false,
          saw: `from the pod on ${want.node}: ${wrong.join("; ")} (\`nft list table ip6 kube-proxy\`, kube-proxy's log)`,
        };
  },
});
