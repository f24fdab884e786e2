import type { Graph } from "./graph.ts";

/** How a vertex and an edge are drawn; whoever knows what they stand for says so. */
export interface Drawing {
  text(vertex: string): string;
  /** Vertices of one frame stand in a box of that name; none where undefined. */
  frame?(vertex: string): string | undefined;
  /** What is written on an edge; nothing where undefined. */
  note?(from: string, to: string): string | undefined;
}

/** The graph as Mermaid text. */
export function mermaid(graph: Graph, drawing: Drawing): string {
  const ids = new Map(graph.vertices.map((vertex, index) => [vertex, `s${index}`]));
  const draw = (vertex: string) => `${ids.get(vertex)}["${entities(drawing.text(vertex))}"]`;
  const frames = Map.groupBy(graph.vertices, (vertex) => drawing.frame?.(vertex));
  const lines = Array.from(frames).flatMap(([frame, vertices], index) =>
    frame === undefined
      ? vertices.map((vertex) => `  ${draw(vertex)}`)
      : [
          `  subgraph f${index}["${entities(frame)}"]`,
          ...vertices.map((vertex) => `    ${draw(vertex)}`),
          "  end",
        ],
  );
  const arrows = graph.vertices.flatMap((from) =>
    graph.dependentsOf(from).map((to) => {
      const note = drawing.note?.(from, to);
      const arrow = note === undefined ? "-->" : `-. ${entities(note)} .->`;
      return `  ${ids.get(from)} ${arrow} ${ids.get(to)}`;
    }),
  );
  return ["flowchart TD", ...lines, ...arrows, ""].join("\n");
}

// Mermaid knows no backslash escapes, only entities written with # in place of &.
const entities = (text: string): string => text.replace(/["#<>]/g, (c) => `#${c.charCodeAt(0)};`);
