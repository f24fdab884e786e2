import { expect, test } from "vitest";
import { z } from "zod";
import { settleScript } from "#engine/converge/guard-script.ts";
import { guarded, writeFile } from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { sh } from "#engine/host/command.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { GUARD_BASE } from "#engine/host/introduction.ts";
import { takesGuards } from "../../../support/guard-on-fake.ts";
import { fileOn, play } from "../../../support/play.ts";

const network = defineModule({
  name: "network",
  summary: "A configuration that can cut the connection.",
  params: z.strictObject({ value: z.string(), address: z.string().optional() }),
  outputs: z.object({}),
  async read(host) {
    return { now: await host.readFile("/etc/network.conf") };
  },
  // "unstable" is a value that the host never keeps.
  *diff({ now }, { value, address }) {
    if (now !== value || value === "unstable")
      yield guarded({
        files: [writeFile("/etc/network.conf", value, { was: now })],
        apply: sh`apply-network`,
        address,
        verify: [sh`ping gateway`],
        within: "30s",
        say: `network: ${now} → ${value}`,
      });
  },
  *undo(before, now) {
    if (now.now !== before.now)
      yield guarded({
        files: [writeFile("/etc/network.conf", before.now ?? "", { was: now.now })],
        apply: sh`apply-network`,
        verify: [],
        within: "30s",
        say: `network: ${now.now} → ${before.now}`,
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

test("a step that is to be undone waits until the host has gone back by itself", async () => {
  const ran: string[] = [];
  const host = takesGuards(
    new FakeHost().programs({ "apply-network": () => undefined, ping: () => ({ code: 1 }) }),
    { applied: ({ files }) => files.put(`${GUARD_BASE}/active-guard`, "") },
  ).script(settleScript, ({ host }) => {
    ran.push("settled");
    host.files.put("/etc/network.conf", "old");
    return undefined;
  });
  host.files.put("/etc/network.conf", "old");
  const places: (string | undefined)[] = [];
  const { end } = await play(
    ({ step, nodes }) =>
      step("net", {
        on: nodes,
        onFail: "undo",
        timeout: "10s",
        ensure: network({ value: "new", address: "2001:db8::9" }),
      }),
    { hosts: { h1: host }, dialled: ({ at }) => places.push(at) },
  );
  expect(end("net").error).toMatchObject({
    code: "PB_STEP_TIMEOUT",
    state: "undone: h1 is again as the step found it",
  });
  expect(ran).toEqual(["settled"]);
  expect(places).toContain("2001:db8::9");
  expect(places.at(-1)).toBeUndefined();
  expect(fileOn(host, "/etc/network.conf")).toBe("old");
});

test("a step whose guarded change was kept is undone by another one", async () => {
  const host = takesGuards(
    new FakeHost().programs({ "apply-network": () => undefined, ping: () => undefined }),
  );
  host.files.put("/etc/network.conf", "old");
  const { end, of } = await play(
    ({ step, nodes }) =>
      step("net", { on: nodes, onFail: "undo", ensure: network({ value: "unstable" }) }),
    { hosts: { h1: host } },
  );
  expect(end("net").error).toMatchObject({
    code: "PB_NOT_CONVERGED",
    state: "undone: h1 is again as the step found it",
  });
  expect(of("change").map(({ change }) => change.say)).toContain("undo: network: unstable → old");
  expect(fileOn(host, "/etc/network.conf")).toBe("old");
});
