/** Where the proof's workload can be reached. */
import { z } from "zod";
import { defineModule, type Host, PlaybookError } from "#engine/index.ts";
import { HostAddress } from "../address.ts";
import { NodeName } from "../cluster-params.ts";
import { kubectlJson } from "../kubectl.ts";
import { proof } from "./workload.ts";

const Found = z.object({
  items: z.array(
    z.object({
      kind: z.string(),
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
      spec: z.object({
        nodeName: z.string().optional(),
        clusterIP: z.string().optional(),
        ports: z.array(z.object({ nodePort: z.number().optional() })).default([]),
      }),
      status: z.object({
        podIP: z.string().optional(),
        hostIP: z.string().optional(),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      }),
    }),
  ),
});

/** A pod of the proof, and the node it runs on. */
export const Target = z.object({ node: NodeName, nodeIp: HostAddress, podIp: HostAddress });

/** The pods that are ready, and the Service's addresses. */
export async function readTargets(host: Host) {
  const list = { what: "The proof's workload", as: Found };
  const { items } = await kubectlJson(
    host,
    list,
    "get",
    "pods,services",
    "--namespace",
    proof.namespace,
  );
  const service = items.find(
    ({ kind, metadata }) => kind === "Service" && metadata.name === proof.name,
  );
  const pods = items
    .filter(({ kind, metadata }) => kind === "Pod" && metadata.deletionTimestamp === undefined)
    .filter(({ status }) =>
      status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True"),
    )
    .map(({ spec, status }) => ({
      node: spec.nodeName ?? "",
      nodeIp: status.hostIP ?? "",
      podIp: status.podIP ?? "",
    }));
  return {
    pods: pods.sort((a, b) => a.node.localeCompare(b.node)),
    serviceIp: service?.spec.clusterIP ?? "",
    nodePort: service?.spec.ports[0]?.nodePort ?? 0,
  };
}

export const proofTargets = defineModule({
  name: "proof-targets",
  summary: "Find out where the network proof's pods and Service are; asked on a control plane.",
  example: `use.proofTargets({ nodes: ["cp1", "w1"] })`,
  params: z.strictObject({ nodes: z.array(NodeName).min(1).describe("Their names.") }),
  outputs: z.object({
    pods: z.array(z.object({ node: z.string(), nodeIp: z.string(), podIp: z.string() })),
    serviceIp: z.string(),
    nodePort: z.number(),
  }),

  async read(host, want) {
    const found = await readTargets(host);
    const without = want.nodes.filter((name) => !found.pods.some(({ node }) => node === name));
    if (without.length > 0)
      throw new PlaybookError("PB_CLUSTER_READ", [
        "The proof's workload",
        `no pod is ready on ${without.join(", ")}`,
      ]);
    return found;
  },

  *diff() {},

  *undo() {},
});
