import pc from "picocolors";
import { describe, expect, test } from "vitest";
import type { RunEvent } from "#engine/report/event.ts";
import { RunModel } from "#engine/report/model.ts";
import { width } from "#engine/report/text.ts";
import { layout } from "#engine/report/tree-layout.ts";
import { paint } from "#engine/report/tree-paint.ts";
import { Script, threeHosts, twoHundredHosts } from "./script.ts";

function draw(
  events: readonly RunEvent[],
  { columns = 80, rows = 23, final = false, later = 0 } = {},
): string[] {
  const model = new RunModel();
  for (const event of events) model.apply(event);
  const now = (events.at(-1)?.at ?? 0) + later;
  const brush = { colors: pc.createColors(false), columns, spin: "*", unicode: true };
  return layout(model, { now, rows, final }).map((line) => paint(line, brush));
}

describe("three hosts", () => {
  const { script, middle } = threeHosts();

  test("at work: done phases are folded, what waits says for what", () => {
    expect(draw(script.events.slice(0, middle), { later: 2500 }).join("\n")).toMatchSnapshot();
  });

  test("at the end what changed stays", () => {
    expect(draw(script.events, { final: true }).join("\n")).toMatchSnapshot();
  });
});

describe("two hundred hosts", () => {
  const { script, middle } = twoHundredHosts();

  test("at work: hosts are counts, failed ones have names, time left is told", () => {
    expect(draw(script.events.slice(0, middle), { later: 2500 }).join("\n")).toMatchSnapshot();
  });

  test("on a wide screen", () => {
    const lines = draw(script.events.slice(0, middle), { columns: 120, rows: 39, later: 2500 });
    expect(lines.join("\n")).toMatchSnapshot();
  });

  test("at the end", () => {
    expect(draw(script.events, { final: true }).join("\n")).toMatchSnapshot();
  });
});

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    label: `step ${index}`,
    phase: [`phase ${index % 12}`],
    kind: "action" as const,
    hosts: ["a", "b"],
  }));

test.each([3, 5, 10, 23])("a run of any length fits %i rows, and shows what is at work", (rows) => {
  const script = new Script().start("long", many(120));
  for (let index = 0; index < 60; index++)
    script.begin(`step ${index}`, "a", "b").pass(100).finish(`step ${index}`, ["a", "b"], "ok");
  script.begin("step 60", "a");
  const lines = draw(script.events, { rows });
  expect(lines.length).toBeLessThanOrEqual(rows);
  if (rows >= 10) expect(lines.join("\n")).toContain("step 60");
});

test.each([20, 40, 80])(
  "no line is wider than %i columns, whatever names and messages are",
  (columns) => {
    const label = "名前".repeat(40);
    const script = new Script().start("wide", [
      { label, phase: ["日本".repeat(30)], kind: "gate", hosts: ["a"] },
    ]);
    script.begin(label, "a").waits(label, "a", `\x1b[2J${"x".repeat(300)}`);
    for (const line of draw(script.events, { columns }))
      expect(width(line)).toBeLessThan(columns + 1);
  },
);

test("a host that cannot be reached is told once, not for each of its steps", () => {
  const { script } = twoHundredHosts();
  const told = draw(script.events, { final: true, rows: 1000 }).filter((line) =>
    line.includes("no route to host"),
  );
  expect(told).toHaveLength(1);
});
