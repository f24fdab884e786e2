import { expect, test } from "vitest";
import { z } from "zod";
import { guarded, writeFile } from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { sh } from "#engine/host/command.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { takesGuards } from "../../../support/guard-on-fake.ts";
import { fileOn, play } from "../../../support/play.ts";

const network = defineModule({
  name: "network",
  summary: "A configuration that can cut the connection.",
  params: z.strictObject({ value: z.string() }),
  outputs: z.object({}),
  async read(host) {
    return { now: await host.readFile("/etc/network.conf") };
  },
  *diff({ now }, { value }) {
    if (now !== value)
      yield guarded({
        files: [writeFile("/etc/network.conf", value, { was: now })],
        apply: sh`apply-network`,
        verify: [sh`ping gateway`],
        within: "30s",
        say: `network: ${now} → ${value}`,
      });
  },
});

test("a guarded change is one change of a step, its files shown after it, and the run goes on", async () => {
  const host = takesGuards(
    new FakeHost().programs({ "apply-network": () => undefined, ping: () => undefined }),
  );
  host.files.put("/etc/network.conf", "old");
  const { end, of } = await play(
    ({ step, nodes }) => step("net", { on: nodes, ensure: network({ value: "new" }) }),
    { hosts: { h1: host } },
  );
  expect(end("net")).toMatchObject({ outcome: "changed", changes: 1 });
  expect(of("change").map(({ change }) => change)).toEqual([
    { say: "network: old → new" },
    {
      say: "write /etc/network.conf",
      diff: { path: "/etc/network.conf", before: "old", after: "new" },
    },
  ]);
  expect(fileOn(host, "/etc/network.conf")).toBe("new");
  expect(host.ran.filter(({ argv }) => argv[0] === "ping")).toHaveLength(1);
});

test("a step that is cut off in the middle of one says that the host goes back by itself", async () => {
  const host = takesGuards(
    new FakeHost().programs({ "apply-network": () => undefined, ping: () => ({ code: 1 }) }),
  );
  const { end } = await play(
    ({ step, nodes }) =>
      step("net", { on: nodes, timeout: "10s", ensure: network({ value: "new" }) }),
    { hosts: { h1: host } },
  );
  expect(end("net").error).toMatchObject({
    code: "PB_STEP_TIMEOUT",
    state: "h1 puts everything back by itself unless the change is confirmed within 30s",
  });
});
