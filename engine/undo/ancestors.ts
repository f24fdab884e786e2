import type { Plan } from "../plan/plan.ts";

/** Whether one step waits for another on the same host only, or for all its hosts. */
type Reach = "each" | "all";

/** For each step those that it waits for. */
export type Ancestors = ReadonlyMap<string, ReadonlyMap<string, Reach>>;

/** For each step all that it waits for, directly or through others. */
export function ancestorsOf({ steps, nodes }: Plan): Ancestors {
  const needs = Map.groupBy(
    nodes.flatMap(({ step, needs }) => needs.map((need) => ({ of: step.label, ...need }))),
    ({ of }) => of,
  );
  const known = new Map<string, Map<string, Reach>>();
  // In topological order: what a step waits for is known before it is.
  for (const { label } of steps) {
    const found = new Map<string, Reach>();
    const add = (step: string, reach: Reach) => {
      if (found.get(step) !== "all") found.set(step, reach);
    };
    for (const { step, scope } of needs.get(label) ?? []) {
      const reach = scope === "each" ? "each" : "all";
      add(step, reach);
      for (const [further, its] of known.get(step) ?? [])
        add(further, its === "each" ? reach : "all");
    }
    known.set(label, found);
  }
  return known;
}
