import { mermaid } from "../graph/mermaid.ts";
import type { Plan } from "../plan/plan.ts";
import { lastingSteps } from "../plan/undo.ts";
import { listed, oneLine, plural } from "../report/text.ts";

/** `--list`: the steps in the order in which they start, each with its hosts; nothing was connected to. */
export function planList(plan: Plan): string {
  const hosts = hostsOf(plan);
  const size = Math.max(0, ...plan.steps.map(({ label }) => oneLine(label).length));
  let phase = "";
  const lines = plan.steps.flatMap((step) => {
    const name = step.phase.join(" › ");
    const heading = name === "" || name === phase ? [] : [oneLine(name)];
    phase = name;
    const on = hosts.get(step.label) ?? [];
    const gate = step.kind === "gate" ? "  (gate)" : "";
    const where = on.length === 0 ? "no host" : oneLine(listed(on, 8));
    const undo = step.kind === "action" && step.undoOnFail ? "  (undone if it fails)" : "";
    return [...heading, `  ${oneLine(step.label).padEnd(size)}  ${where}${gate}${undo}`];
  });
  const all = new Set([...hosts.values()].flat()).size;
  return [
    `${oneLine(plan.playbook)}: ${plural(plan.steps.length, "step")} on ${plural(all, "host")}`,
    ...lines,
    ...[...lastingSteps(plan), ...plan.leftOut].map((what) => oneLine(what)),
    "",
  ].join("\n");
}

/** `--graph`: the steps and what each waits for, as Mermaid. */
export function planGraph(plan: Plan): string {
  const hosts = hostsOf(plan);
  const steps = new Map(plan.steps.map((step) => [step.label, step]));
  const notes = new Map(
    plan.nodes.flatMap(({ step, needs }) =>
      needs
        .filter(({ kind }) => kind === "onChange" || kind === "onFail")
        .map(
          (need) =>
            [
              `${need.step}\0${step.label}`,
              need.kind === "onChange" ? "on change" : "on failure",
            ] as const,
        ),
    ),
  );
  return mermaid(plan.graph, {
    text: (label) => {
      const on = hosts.get(label) ?? [];
      return `${oneLine(label)} · ${on.length > 3 ? plural(on.length, "host") : oneLine(on.join(", "))}`;
    },
    frame: (label) => {
      const phase = steps.get(label)?.phase ?? [];
      return phase.length === 0 ? undefined : oneLine(phase.join(" › "));
    },
    note: (from, to) => notes.get(`${from}\0${to}`),
  });
}

function hostsOf({ nodes }: Plan): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const { step, host } of nodes)
    hosts.set(step.label, [...(hosts.get(step.label) ?? []), host.name]);
  return hosts;
}
