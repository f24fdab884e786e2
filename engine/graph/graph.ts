/** `to` waits for `from`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
}

/** Vertices and edges, and nothing of what they stand for. */
export interface Graph {
  /** In the order in which they were declared: it breaks every tie. */
  readonly vertices: readonly string[];
  /** What a vertex waits for, in declaration order. */
  dependenciesOf(vertex: string): readonly string[];
  /** What waits for a vertex, in declaration order. */
  dependentsOf(vertex: string): readonly string[];
}

/** Builds a graph; an edge given twice counts once. @throws TypeError for an edge to or from no vertex. */
export function buildGraph(vertices: readonly string[], edges: readonly Edge[]): Graph {
  const indexOf = new Map(vertices.map((vertex, index) => [vertex, index]));
  const sides = { before: neighbours(vertices), after: neighbours(vertices) };
  for (const { from, to } of edges) {
    if (!indexOf.has(from) || !indexOf.has(to))
      throw new TypeError(`the edge ${from} → ${to} joins no two vertices`);
    sides.before.get(to)?.add(from);
    sides.after.get(from)?.add(to);
  }
  const sorted = (side: Map<string, Set<string>>) =>
    new Map(
      Array.from(side, ([vertex, set]) => [
        vertex,
        Array.from(set).sort((a, b) => (indexOf.get(a) ?? 0) - (indexOf.get(b) ?? 0)),
      ]),
    );
  const before = sorted(sides.before);
  const after = sorted(sides.after);
  return {
    vertices,
    dependenciesOf: (vertex) => before.get(vertex) ?? [],
    dependentsOf: (vertex) => after.get(vertex) ?? [],
  };
}

const neighbours = (vertices: readonly string[]) =>
  new Map(vertices.map((vertex) => [vertex, new Set<string>()]));
