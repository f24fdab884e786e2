import type { Graph } from "./graph.ts";
import { PriorityQueue } from "./priority-queue.ts";

/**
 * Every vertex after all that it waits for; of those that could come next, the one declared first. So the order is a
 * function of the declarations alone. Vertices on a cycle are left out: look for one first.
 */
export function topologicalOrder(graph: Graph): string[] {
  const indexOf = new Map(graph.vertices.map((vertex, index) => [vertex, index]));
  const waitsFor = new Map(graph.vertices.map((v) => [v, graph.dependenciesOf(v).length]));
  const ready = new PriorityQueue<string>((vertex) => indexOf.get(vertex) ?? 0);
  for (const [vertex, count] of waitsFor) if (count === 0) ready.push(vertex);
  const order: string[] = [];
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    order.push(next);
    for (const dependent of graph.dependentsOf(next)) {
      const left = (waitsFor.get(dependent) ?? 0) - 1;
      waitsFor.set(dependent, left);
      if (left === 0) ready.push(dependent);
    }
  }
  return order;
}
