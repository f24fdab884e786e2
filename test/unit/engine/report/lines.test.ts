import { Writable } from "node:stream";
import pc from "picocolors";
import { expect, test } from "vitest";
import { diffLines } from "#engine/report/diff.ts";
import type { RunEvent } from "#engine/report/event.ts";
import { LinesRenderer } from "#engine/report/lines.ts";
import { Script, threeHosts, twoHundredHosts } from "./script.ts";

async function render(
  events: readonly RunEvent[],
  { verbose = 0, diff = false } = {},
): Promise<string> {
  let text = "";
  const out = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  const options = { out, colors: pc.createColors(false), verbose, diff, now: () => 0 };
  const renderer = new LinesRenderer(options, diff ? diffLines : undefined);
  for (const event of events) renderer.emit(event);
  await renderer.end();
  return text;
}

test("each outcome is a line that grep finds", async () => {
  const text = await render(threeHosts().script.events);
  expect(text).toMatchSnapshot();
  expect(text).toMatch(/^kernel w1 changed/m);
});

test("--diff shows the difference of a file where it happens", async () => {
  expect(await render(threeHosts().script.events, { diff: true })).toContain(
    [
      "kernel w1: write /etc/sysctl.d/90-cluster.conf",
      "--- /etc/sysctl.d/90-cluster.conf",
      "+++ /etc/sysctl.d/90-cluster.conf",
      "@@ -1 +1,2 @@",
      "-a = 0",
      "+a = 1",
      "+b = 2",
    ].join("\n"),
  );
});

test("many hosts end in a short recap, the same failure told once", async () => {
  const text = await render(twoHundredHosts().script.events);
  expect(text.slice(text.indexOf("\n\nhost"))).toMatchSnapshot();
});

test("a gate that sees the same again and again says it once", async () => {
  const script = new Script().start("gates", [
    { label: "up", phase: [], kind: "gate", hosts: ["a"] },
  ]);
  script.begin("up", "a");
  for (const saw of ["503", "503", "503", "200"]) script.pass(1000).waits("up", "a", saw);
  const text = await render(script.events);
  expect(text.match(/waiting: 503/g)).toHaveLength(1);
});

test("under --check every pending change is listed", async () => {
  const script = new Script().start(
    "c",
    [{ label: "s", phase: [], kind: "action", hosts: ["a"] }],
    "check",
  );
  script
    .begin("s", "a")
    .change("s", "a", { say: "x: 0 → 1" })
    .finish("s", ["a"], "would-change", { changes: 1 });
  expect(await render(script.recap(3).events)).toMatchInlineSnapshot(`
    "c --check: 1 step on 1 host
    s a: x: 0 → 1
    s a would-change (1 change, 0.0s)

    host  would change
    a                1
    changes pending after 0.0s: 0 ok, 1 would change
    "
  `);
});
