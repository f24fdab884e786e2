import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import type { RunEvent } from "#engine/report/event.ts";
import { JsonRenderer } from "#engine/report/json.ts";
import { Script, threeHosts } from "./script.ts";

function render(events: readonly RunEvent[]): string {
  let text = "";
  const out = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  const renderer = new JsonRenderer({ out });
  for (const event of events) renderer.emit(event);
  return text;
}

test("every event is one line of JSON, the recap last and with its counts first", () => {
  const { events } = threeHosts().script;
  const lines = render(events).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual(events);
  expect(lines.at(-1)).toMatch(
    /^\{"type":"recap","changed":5,"ok":6,"failed":0,"skipped":0,"unreachable":0,"exitCode":0,"hosts":\{.*\},"durationMs":\d+,/,
  );
});

test("what a host printed can neither drive a terminal nor carry a secret", () => {
  new Secret('pass"word');
  const script = new Script().start("x", [{ label: "s", phase: [], kind: "gate", hosts: ["a"] }]);
  script.begin("s", "a").waits("s", "a", 'got pass"word \x1b[2J \x9b31m \u202e');
  const line = render(script.events).trimEnd().split("\n").at(-1) ?? "";
  expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  expect(JSON.parse(line).saw).toBe("got [secret] \x1b[2J \x9b31m \u202e");
});
