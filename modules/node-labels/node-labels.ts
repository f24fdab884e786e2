/** What schedulers and people know a node by. */
import { z } from "zod";
import { type Change, defineModule, PlaybookError, run } from "#engine/index.ts";
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
    for (const [key, value] of Object.entries(want.labels))
      yield* keepLabel(want.node, key, { is: now.labels[key], wanted: value ?? undefined });
    for (const { key, effect, state, value } of want.taints)
      yield* keepTaint(want.node, `${key}:${effect}`, {
        is: taintValue(now.taints, { key, effect }),
        wanted: state === "present" ? value : undefined,
      });
  },

  *undo(before, now, want) {
    for (const key of Object.keys(want.labels).toReversed())
      yield* keepLabel(want.node, key, { is: now.labels[key], wanted: before.labels[key] });
    for (const taint of want.taints.toReversed())
      yield* keepTaint(want.node, `${taint.key}:${taint.effect}`, {
        is: taintValue(now.taints, taint),
        wanted: taintValue(before.taints, taint),
      });
  },
});

/** Values; undefined where it is not there. */
interface Difference {
  readonly is: string | undefined;
  readonly wanted: string | undefined;
}

function* keepLabel(node: string, key: string, { is, wanted }: Difference): Generator<Change> {
  if (is === wanted) return;
  const label = wanted === undefined ? `${key}-` : `${key}=${wanted}`;
  const say = `${node} label ${key}: ${shown(is)} → ${shown(wanted)}`;
  yield run(kubectl("label", "node", node, label, "--overwrite"), say);
}

/** `name` is the key with its effect, as key:NoSchedule. */
function* keepTaint(node: string, name: string, { is, wanted }: Difference): Generator<Change> {
  if (is === wanted) return;
  const [key, effect] = name.split(":");
  const taint = wanted === undefined ? `${name}-` : `${key}=${wanted}:${effect}`;
  const say = `${node} taint ${name}: ${shown(is)} → ${shown(wanted)}`;
  yield run(kubectl("taint", "node", node, taint, "--overwrite"), say);
}

type Named = Pick<z.output<typeof Taint>, "key" | "effect">;

function taintValue(
  taints: readonly { key: string; effect: string; value?: string | undefined }[],
  { key, effect }: Named,
): string | undefined {
  const found = taints.find((taint) => taint.key === key && taint.effect === effect);
  return found === undefined ? undefined : (found.value ?? "");
}

const shown = (value: string | undefined) => {
  if (value === undefined) return "none";
  return value === "" ? '""' : value;
};
