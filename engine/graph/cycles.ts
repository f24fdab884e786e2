import type { Graph } from "./graph.ts";

/** One whole cycle, its first vertex repeated at the end ("a", "b", "a"); undefined where there is none. */
export function findCycle(graph: Graph): string[] | undefined {
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (vertex: string): string[] | undefined => {
    const start = path.indexOf(vertex);
    if (start >= 0) return [...path.slice(start), vertex];
    if (finished.has(vertex)) return undefined;
    path.push(vertex);
    for (const dependent of graph.dependentsOf(vertex)) {
      const cycle = visit(dependent);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    finished.add(vertex);
    return undefined;
  };
  for (const vertex of graph.vertices) {
    const cycle = visit(vertex);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
