import { z } from "zod";
import type { Host } from "#engine/index.ts";
import { kubectlJson } from "../kubectl.ts";

const Nodes = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        labels: z.record(z.string(), z.string()).default({}),
      }),
      spec: z.object({
        podCIDRs: z.array(z.string()).default([]),
        taints: z
          .array(z.object({ key: z.string(), value: z.string().optional(), effect: z.string() }))
          .default([]),
      }),
      status: z.object({
        addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
        conditions: z
          .array(
            z.object({ type: z.string(), status: z.string(), message: z.string().default("") }),
          )
          .default([]),
      }),
    }),
  ),
});

/** A node as other modules look at it. */
export interface ClusterNode {
  readonly name: string;
  readonly ready: boolean;
  /** What the kubelet says where it is not ready. */
  readonly message: string;
  /** Its InternalIPs, in order. */
  readonly addresses: readonly string[];
  readonly podCidrs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { key: string; value?: string | undefined; effect: string }[];
}

/** All nodes of the cluster; on a control plane. */
export async function readNodes(host: Host): Promise<ClusterNode[]> {
  const { items } = await kubectlJson(host, { what: "The nodes", as: Nodes }, "get", "nodes");
  return items.map(({ metadata, spec, status }) => {
    const ready = status.conditions.find(({ type }) => type === "Ready");
    return {
      name: metadata.name,
      ready: ready?.status === "True",
      message: ready?.message ?? "the kubelet has not reported yet",
      addresses: status.addresses
        .filter(({ type }) => type === "InternalIP")
        .map(({ address }) => address),
      podCidrs: spec.podCIDRs,
      labels: metadata.labels,
      taints: spec.taints,
    };
  });
}
