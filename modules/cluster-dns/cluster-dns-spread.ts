/** Whether the cluster's DNS outlives the loss of any one node. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";
import { kubectlJson } from "../kubectl.ts";
import { clusterDns } from "./cluster-dns-objects.ts";

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
      spec: z.object({ nodeName: z.string().optional() }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
      }),
    }),
  ),
});

export const clusterDnsSpread = defineProbe({
  name: "cluster-dns-spread",
  summary:
    "That many replicas of the cluster's DNS are Ready, each on another node; asked on a control plane.",
  example: "use.clusterDnsSpread({ replicas: 3 })",
  params: z.strictObject({
    replicas: z
      .int()
      .min(1)
      .describe(
        "How many there are to be, no more and no fewer; those that are being deleted do not count.",
      ),
  }),

  async check(host, want) {
    const list = { what: "The pods of the cluster's DNS", as: Pods };
    const found = await kubectlJson(
      host,
      list,
      ...["get", "pods", "-n", clusterDns.namespace],
      selector,
    );
    const pods = found.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const ready = pods.filter(({ status }) =>
      status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    const nodes = ready.map(({ spec }) => spec.nodeName ?? "no node").sort();
    const spread = new Set(nodes).size === nodes.length;
    const saw = `${ready.length} of ${want.replicas} replicas are Ready, on ${nodes.join(", ") || "no node"}`;
    return ready.length === want.replicas && pods.length === want.replicas && spread
      ? { holds: true, saw }
      : {
          holds: false,
          saw: `${saw} (kubectl -n ${clusterDns.namespace} get pods ${selector} -o wide)`,
        };
  },
});

const selector = `-l=${Object.entries(clusterDns.labels).map(([key, value]) => `${key}=${value}`)}`;
