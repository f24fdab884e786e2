import { buildGraph, type Graph } from "./graph.ts";

/** Everything that the given vertices wait for, directly or not, without themselves unless they are on a cycle. */
export const ancestors = (graph: Graph, ...of: string[]): Set<string> =>
  reach(of, (vertex) => graph.dependenciesOf(vertex));

/** Everything that waits for the given vertices, directly or not. */
export const descendants = (graph: Graph, ...of: string[]): Set<string> =>
  reach(of, (vertex) => graph.dependentsOf(vertex));

function reach(from: readonly string[], next: (vertex: string) => readonly string[]): Set<string> {
  const seen = new Set<string>();
  const open = from.flatMap(next);
  for (let vertex = open.pop(); vertex !== undefined; vertex = open.pop()) {
    if (seen.has(vertex)) continue;
    seen.add(vertex);
    open.push(...next(vertex));
  }
  return seen;
}

/** The same reachability with the fewest edges: an edge that a longer way already implies is left out. */
export function transitiveReduction(graph: Graph): Graph {
  const edges = graph.vertices.flatMap((to) => {
    const direct = graph.dependenciesOf(to);
    return direct
      .filter((from) => !direct.some((via) => via !== from && ancestors(graph, via).has(from)))
      .map((from) => ({ from, to }));
  });
  return buildGraph(graph.vertices, edges);
}
