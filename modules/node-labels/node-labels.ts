/** What schedulers and people know a node by. */
import { z } from "zod";
import { defineModule, PlaybookError, run } from "#engine/index.ts";
import { readNodes } from "../cluster-nodes/read-nodes.ts";
import { LabelKey, LabelValue, NodeName } from "../cluster-params.ts";
import { kubectl } from "../kubectl.ts";

const Taint = z.strictObject({
  key: LabelKey,
  value: LabelValue.default(""),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
  state: z.enum(["present", "absent"]).default("present"),
});

export const nodeLabels = defineModule({
  name: "node-labels",
  summary: "Keep labels and taints of a node; run on a control plane (`via`).",
  example: `use.nodeLabels({ node: "w1", labels: { "node-role.kubernetes.io/worker": "" } })`,
  params: z.strictObject({
    node: NodeName.describe("The node's name."),
    labels: z
      .record(LabelKey, LabelValue.nullable())
      .default({})
      .describe("Null takes a label away; others are left alone."),
    taints: z.array(Taint).default([]).describe("By key and effect; others are left alone."),
  }),

  async read(host, want) {
    const node = (await readNodes(host)).find(({ name }) => name === want.node);
    if (node === undefined)
      throw new PlaybookError("PB_CLUSTER_READ", [`The node ${want.node}`, "it is not registered"]);
    return { labels: node.labels, taints: node.taints };
  },

  *diff(now, want) {
    for (const [key, value] of Object.entries(want.labels)) {
      const was = now.labels[key];
      if ((was ?? null) === value) continue;
      yield run(
        kubectl(
          "label",
          "node",
          want.node,
          value === null ? `${key}-` : `${key}=${value}`,
          "--overwrite",
        ),
        `${want.node} label ${key}: ${shown(was)} → ${shown(value)}`,
      );
    }
    for (const { key, value, effect, state } of want.taints) {
      const is = now.taints.find((taint) => taint.key === key && taint.effect === effect);
      if (state === "present" ? is !== undefined && (is.value ?? "") === value : is === undefined)
        continue;
      yield run(
        kubectl(
          "taint",
          "node",
          want.node,
          state === "present" ? `${key}=${value}:${effect}` : `${key}:${effect}-`,
          "--overwrite",
        ),
        `${want.node} taint ${key}:${effect}: ${shown(is?.value ?? (is && ""))} → ${state}`,
      );
    }
  },
});

const shown = (value: string | null | undefined) => {
  if (value === undefined || value === null) return "none";
  return value === "" ? '""' : value;
};
