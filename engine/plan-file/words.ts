import { listed, oneLine, plural } from "../report/text.ts";
import type { PlanFile, PlannedNode, PlannedStep } from "./schema.ts";

/** What a plan comes to, as one sentence. */
export function planWords(playbook: string, steps: readonly PlannedStep[]): string {
  const nodes = steps.flatMap(({ hosts }) => Object.entries(hosts));
  const of = (...outcomes: PlannedNode["outcome"][]) =>
    nodes.filter(([, { outcome }]) => outcomes.includes(outcome));
  const changing = of("would-change");
  const changes = changing.reduce((sum, [, node]) => sum + (node.changes?.length ?? 0), 0);
  const hosts = new Set(changing.map(([host]) => host)).size;
  const parts = [
    changing.length === 0
      ? "nothing would change"
      : `${plural(changes, "change")} on ${plural(hosts, "host")}`,
    ...counted(of("unknown").length, "unknown before others have changed"),
    ...counted(of("ok").length, "as wanted"),
    ...counted(of("skipped").length, "skipped"),
    ...counted(of("cannot-tell", "failed", "unreachable").length, "of which nothing can be told"),
  ];
  return `${playbook}: ${parts.join(", ")}`;
}

const counted = (count: number, what: string) => (count === 0 ? [] : [`${count} ${what}`]);

/** A plan file for people: each step with what it announces, hosts that share it on one line. */
export function planList(plan: PlanFile): string {
  const { playbook, inventory, limit, only, madeAt, params } = plan;
  const from = [
    `made ${madeAt} from ${playbook.file}`,
    ...(inventory === undefined ? [] : [`on ${inventory}`]),
    ...(limit === undefined ? [] : [`--limit ${limit.join(",")}`]),
    ...(only === undefined ? [] : [`--only ${only.join(",")}`]),
    ...Object.entries(params).map(
      ([name, value]) => `--param ${name}=${typeof value === "string" ? value : "[secret]"}`,
    ),
  ];
  const lines = [plan.plan, from.join(", "), ...plan.steps.flatMap(stepLines)];
  return lines.map((line) => `${indent(line)}${oneLine(line)}\n`).join("");
}

const indent = (line: string): string => /^ */.exec(line)?.[0] ?? "";

function stepLines({ step, hosts }: PlannedStep): string[] {
  const alike = Map.groupBy(Object.entries(hosts), ([, node]) => nodeLines(node).join("\n"));
  return Array.from(alike.values()).flatMap((group) => {
    const [[, node] = ["", undefined]] = group;
    if (node === undefined) return [];
    const [first = "", ...more] = nodeLines(node);
    const names = group.map(([host]) => host);
    return [`  ${step} on ${listed(names, 8)}: ${first}`, ...more.map((line) => `    ${line}`)];
  });
}

function nodeLines({ outcome, why, changes }: PlannedNode): string[] {
  const because = why === undefined ? "" : ` (${why})`;
  return [`${outcome}${because}`, ...(changes ?? []).map(({ say }) => say)];
}
