/** Whether pods find Services by name. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { canonicalIp } from "#engine/net/ip.ts";
import { HostAddress } from "../address.ts";
import { NodeName } from "../cluster-params.ts";
import { DnsName } from "../params.ts";
import { getEach, httpUrl, parseJson } from "./http.ts";
import { Target } from "./proof-targets.ts";
import { proof } from "./workload.ts";

const Shell = z.object({ output: z.string().optional(), error: z.string().optional() });

export const podDns = defineProbe({
  name: "pod-dns",
  summary: "In this node's pod of the proof, a Service's name has the AAAA record that it should.",
  example: `use.podDns({ node: "w1", pods: [{ node: "w1", nodeIp: "2001:db8:1::21", podIp: "2001:db8:2:1::2" }], expect: "2001:db8:3::1" })`,
  params: z.strictObject({
    node: NodeName.describe("This host's node."),
    pods: z.array(Target).describe("All pods of the proof, from proof-targets."),
    // A shell in the pod reads it: agnhost knows no other way.
    lookup: DnsName.default("kubernetes.default.svc.cluster.local").describe(
      "The name that is asked for.",
    ),
    expect: HostAddress.describe("The address that the name must have."),
  }),

  async check(host, want) {
    const pod = want.pods.find(({ node }) => node === want.node);
    if (pod === undefined) return { holds: false, saw: `no pod on ${want.node}` };
    const command = `getent ahosts ${want.lookup}`;
    const url = httpUrl(pod.podIp, proof.port, `/shell?${new URLSearchParams({ cmd: command })}`);
    const [body = ""] = await getEach(host, [url]);
    const answer = parseJson(body, Shell);
    const found = new Set(
      Array.from((answer?.output ?? "").matchAll(/^(\S+)\s+STREAM/gm), ([, address = ""]) =>
        canonicalIp(address),
      ),
    );
    if (found.size === 1 && found.has(want.expect))
      return { holds: true, saw: `${want.lookup} is ${want.expect}` };
    const said = found.size > 0 ? [...found].join(", ") : (answer?.error ?? body);
    return {
      holds: false,
      saw: `in the pod on ${want.node}, ${want.lookup} is ${said || "unknown"}, not ${want.expect} (kubectl -n kube-system logs -l k8s-app=kube-dns)`,
    };
  },
});
