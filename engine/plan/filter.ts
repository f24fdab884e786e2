import { CONTROL } from "../dsl/host-set.ts";
import type { Inventory } from "../dsl/inventory.ts";
import { PlaybookError } from "../errors/error.ts";
import { buildGraph, type Graph } from "../graph/graph.ts";
import { ancestors } from "../graph/reach.ts";
import type { Plan, PlanNode } from "./plan.ts";

/** What of a plan is wanted: everything, unless it says otherwise. */
export interface Filters {
  /** Hosts and groups. */
  readonly limit?: readonly string[] | undefined;
  /** Steps; all that they wait for comes with them. */
  readonly only?: readonly string[] | undefined;
}

/** The part of a plan that is wanted, and what was left out, in words. */
export function filterPlan(plan: Plan, filters: Filters, inventory: Inventory): Plan {
  const chosen = filters.only === undefined ? plan : onlySteps(plan, filters.only);
  const left = filters.limit === undefined ? chosen : limitHosts(chosen, filters.limit, inventory);
  // A playbook without any step says itself that it does nothing.
  if (left.nodes.length === 0 && plan.steps.length > 0) throw nothingSelected(plan, filters);
  return left;
}

/** A run of nothing would end as converged, and say so of hosts that nobody looked at. */
function nothingSelected(plan: Plan, { only, limit }: Filters): PlaybookError {
  const shown = (names: readonly string[]) => `"${names.join(",")}"`;
  const why =
    plan.nodes.length === 0
      ? `no step of playbook "${plan.playbook}" is on any host of the inventory`
      : [
          ...(only === undefined ? [] : [`--only ${shown(only)}`]),
          ...(limit === undefined ? [] : [`--limit ${shown(limit)}`]),
        ].join(" and ");
  return new PlaybookError("PB_NOTHING_SELECTED", [why]);
}

function onlySteps(plan: Plan, only: readonly string[]): Plan {
  const labels = plan.steps.map(({ label }) => label);
  const unknown = only.find((label) => !labels.includes(label));
  if (unknown !== undefined) throw new PlaybookError("PB_UNKNOWN_STEP", [unknown, labels]);
  const wanted = [...only, ...batchGatesOf(plan, only)];
  const kept = new Set([...wanted, ...ancestors(plan.graph, ...wanted)]);
  const left = labels.filter((label) => !kept.has(label));
  return {
    ...plan,
    steps: plan.steps.filter(({ label }) => kept.has(label)),
    nodes: plan.nodes.filter(({ step }) => kept.has(step.label)),
    graph: subgraph(plan.graph, kept),
    leftOut: [...plan.leftOut, ...leftOut("--only", "step", left, labels.length)],
  };
}

// A step that rolls is only careful with the gate between its batches.
const batchGatesOf = ({ steps }: Plan, labels: readonly string[]): string[] =>
  steps.flatMap((step) =>
    step.kind === "action" && step.batchGate !== undefined && labels.includes(step.label)
      ? [step.batchGate]
      : [],
  );

function subgraph(graph: Graph, kept: ReadonlySet<string>): Graph {
  const vertices = graph.vertices.filter((vertex) => kept.has(vertex));
  const edges = vertices.flatMap((from) =>
    graph
      .dependentsOf(from)
      .filter((to) => kept.has(to))
      .map((to) => ({ from, to })),
  );
  return buildGraph(vertices, edges);
}

/**
 * Keeps the nodes of some hosts. A node elsewhere whose output one of them needs stays too, to be read and never
 * changed: cutting it would break the ref, or worse, shorten an `out.all` to the hosts that are left.
 */
function limitHosts(plan: Plan, limit: readonly string[], inventory: Inventory): Plan {
  const wanted = new Set(limit.flatMap((name) => hostsNamed(name, inventory)));
  const nodesOf = Map.groupBy(plan.nodes, ({ step }) => step.label);
  const kept = new Set<PlanNode>();
  const whole = new Set<string>();
  const open = plan.nodes.filter(({ host }) => wanted.has(host.name));
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (kept.has(node)) continue;
    kept.add(node);
    for (const need of node.needs.filter(({ kind }) => kind === "data")) {
      if (whole.has(need.step)) continue;
      const sources = nodesOf.get(need.step) ?? [];
      if (need.scope !== "each") whole.add(need.step);
      const host = node.host.name;
      open.push(...sources.filter((from) => need.scope !== "each" || from.host.name === host));
    }
  }
  const nodes = plan.nodes
    .filter((node) => kept.has(node))
    .map((node) => ({ ...node, readOnly: !wanted.has(node.host.name) }));
  return { ...plan, nodes, leftOut: [...plan.leftOut, ...limitedOut(plan, nodes, wanted)] };
}

function limitedOut(
  plan: Plan,
  nodes: readonly PlanNode[],
  wanted: ReadonlySet<string>,
): readonly string[] {
  const all = Array.from(new Set(plan.nodes.map(({ host }) => host.name)));
  const read = new Set(nodes.filter(({ readOnly }) => readOnly).map(({ host }) => host.name));
  const out = all.filter((host) => !wanted.has(host) && !read.has(host));
  const lines = leftOut("--limit", "host", out, all.length);
  if (read.size === 0) return lines;
  const names = all.filter((host) => read.has(host)).join(", ");
  return [...lines, `--limit: ${names} only read, as others need what is there`];
}

function hostsNamed(name: string, { hosts, groups }: Inventory): readonly string[] {
  if (Object.hasOwn(groups, name)) return groups[name] ?? [];
  if (Object.hasOwn(hosts, name) || name === CONTROL) return [name];
  const known = [...Object.keys(groups), ...Object.keys(hosts)];
  throw new PlaybookError("PB_UNKNOWN_HOST", [name, known], {
    hint: "--limit takes hosts and groups of the inventory, with commas between.",
  });
}

function leftOut(flag: string, what: string, names: readonly string[], of: number): string[] {
  if (names.length === 0) return [];
  const shown = names.length <= 8 ? names : [...names.slice(0, 7), `${names.length - 7} more`];
  return [`${flag}: ${names.length} of ${of} ${what}s left out (${shown.join(", ")})`];
}
