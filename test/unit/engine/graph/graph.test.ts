import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findCycle } from "#engine/graph/cycles.ts";
import { buildGraph, type Edge } from "#engine/graph/graph.ts";
import { mermaid } from "#engine/graph/mermaid.ts";
import { topologicalOrder } from "#engine/graph/order.ts";
import { PriorityQueue } from "#engine/graph/priority-queue.ts";
import { ancestors, descendants, transitiveReduction } from "#engine/graph/reach.ts";

const names = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);

const anyGraph = fc.integer({ min: 1, max: 12 }).chain((count) =>
  fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 30 }).map((pairs) => ({
    vertices: names(count),
    edges: pairs.map(([from, to]): Edge => ({ from: `v${from}`, to: `v${to}` })),
  })),
);

// Edges that run along one hidden order make no cycle, whatever the declaration order is.
const acyclic = fc.integer({ min: 1, max: 12 }).chain((count) =>
  fc
    .tuple(
      fc.shuffledSubarray(names(count), { minLength: count }),
      fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 30 }),
    )
    .map(([vertices, pairs]) => ({
      vertices,
      edges: pairs
        .filter(([a, b]) => a !== b)
        .map(([a, b]): Edge => ({ from: `v${Math.min(a, b)}`, to: `v${Math.max(a, b)}` })),
    })),
);

const build = ({ vertices, edges }: { vertices: string[]; edges: Edge[] }) =>
  buildGraph(vertices, edges);

describe("the order", () => {
  test("has every vertex once, after all that it waits for", () => {
    fc.assert(
      fc.property(acyclic, (given) => {
        const graph = build(given);
        const order = topologicalOrder(graph);
        expect([...order].sort()).toEqual([...given.vertices].sort());
        for (const { from, to } of given.edges)
          expect(order.indexOf(from)).toBeLessThan(order.indexOf(to));
      }),
    );
  });

  test("depends on the declarations alone, not on the order of edges", () => {
    fc.assert(
      fc.property(acyclic, ({ vertices, edges }) => {
        const again = buildGraph(vertices, [...edges].reverse());
        expect(topologicalOrder(again)).toEqual(topologicalOrder(buildGraph(vertices, edges)));
      }),
    );
  });

  test("takes, of those that could come next, the one declared first", () => {
    const graph = buildGraph(["a", "b", "c", "d"], [{ from: "d", to: "a" }]);
    expect(topologicalOrder(graph)).toEqual(["b", "c", "d", "a"]);
  });
});

describe("a cycle", () => {
  test("is found exactly where no order has every vertex", () => {
    fc.assert(
      fc.property(anyGraph, (given) => {
        const graph = build(given);
        const complete = topologicalOrder(graph).length === given.vertices.length;
        expect(findCycle(graph) === undefined).toBe(complete);
      }),
    );
  });

  test("is given whole: each vertex waits for the one before, and it ends where it began", () => {
    fc.assert(
      fc.property(anyGraph, (given) => {
        const graph = build(given);
        const cycle = findCycle(graph) ?? [];
        expect(cycle.at(0)).toBe(cycle.at(-1));
        for (const [index, vertex] of cycle.slice(1).entries())
          expect(graph.dependenciesOf(vertex)).toContain(cycle[index]);
      }),
    );
  });
});

describe("reach", () => {
  const graph = buildGraph(
    ["a", "b", "c", "d"],
    [
      { from: "a", to: "b" },
      { from: "b", to: "c" },
      { from: "a", to: "c" },
    ],
  );

  test("goes up and down through every edge, and leaves the start out", () => {
    expect([...ancestors(graph, "c")].sort()).toEqual(["a", "b"]);
    expect([...descendants(graph, "a")].sort()).toEqual(["b", "c"]);
    expect(ancestors(graph, "d").size).toBe(0);
  });

  test("is the same in a reduced graph, which has no edge that a longer way implies", () => {
    expect(transitiveReduction(graph).dependenciesOf("c")).toEqual(["b"]);
    fc.assert(
      fc.property(acyclic, (given) => {
        const whole = build(given);
        const reduced = transitiveReduction(whole);
        for (const vertex of given.vertices) {
          expect(ancestors(reduced, vertex)).toEqual(ancestors(whole, vertex));
          const direct = reduced.dependenciesOf(vertex);
          for (const from of direct)
            expect(direct.some((via) => ancestors(reduced, via).has(from))).toBe(false);
        }
      }),
    );
  });
});

test("an edge to a vertex that is not there is refused", () => {
  expect(() => buildGraph(["a"], [{ from: "a", to: "b" }])).toThrow("a → b");
});

test("mermaid text has a box a phase, a note on an edge, and no text that breaks it", () => {
  const graph = buildGraph(["a", "b"], [{ from: "a", to: "b" }]);
  const drawn = mermaid(graph, {
    text: (vertex) => `say "${vertex}" #1`,
    frame: (vertex) => (vertex === "b" ? "later" : undefined),
    note: () => "on change",
  });
  expect(drawn).toBe(
    [
      "flowchart TD",
      '  s0["say #34;a#34; #35;1"]',
      '  subgraph f1["later"]',
      '    s1["say #34;b#34; #35;1"]',
      "  end",
      "  s0 -. on change .-> s1",
      "",
    ].join("\n"),
  );
});

test("a priority queue gives back what was put in, lowest rank first", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (ranks) => {
      const queue = new PriorityQueue<number>((rank) => rank);
      for (const rank of ranks) queue.push(rank);
      const out = ranks.map(() => queue.pop());
      expect(out).toEqual([...ranks].sort((a, b) => a - b));
      expect(queue.pop()).toBeUndefined();
    }),
  );
});
