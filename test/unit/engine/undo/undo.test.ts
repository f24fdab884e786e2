import { describe, expect, test } from "vitest";
import { z } from "zod";
import { run } from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { type Playbook, playbook } from "#engine/dsl/playbook.ts";
import { each } from "#engine/dsl/step.ts";
import { sh } from "#engine/host/command.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import type { RunRecord } from "#engine/journal/record.ts";
import { recordsOn, withRecords } from "../../../support/fakes/records.ts";
import { DyingDisk, playJournaled } from "../../../support/journaled.ts";
import type { Declare, Played, Stage } from "../../../support/play.ts";
import { setting, settingIs } from "../../../support/settings.ts";
import { playUndo } from "../../../support/undone.ts";

const declared = (declare: Declare): Playbook =>
  playbook("test", { groups: ["nodes"] }, (given) => {
    const nodes = given.groups["nodes"] ?? given.all;
    declare({ ...(given as unknown as Parameters<Declare>[0]), nodes });
  });

/** Hosts that keep records, each setting given to all of them. */
function hostsWith(names: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  return Object.fromEntries(
    names.map((name) => {
      const host = withRecords(new FakeHost());
      for (const [key, value] of Object.entries(settings))
        host.files.put(`/etc/setting-${key}`, value);
      return [name, host];
    }),
  );
}

const valuesOn = (host: FakeHost | undefined) =>
  Object.fromEntries(
    (host?.files.list("/etc") ?? []).map((name) => [
      name.slice(8),
      host?.files.text(`/etc/${name}`),
    ]),
  );

/** Changes the record of a step, as somebody might who does not want it undone. */
function spoil(host: FakeHost | undefined, step: string): void {
  for (const path of host === undefined ? [] : recordsOn(host)) {
    const text = host?.files.text(path) ?? "";
    if (text.includes(`"step":"${step}"`))
      host?.files.put(path, text.replace('"0"', '"9"').replace('"value":""', '"value":"x"'));
  }
}

/** Runs a playbook with its journal; gives what that says. */
async function ran(
  book: Playbook,
  hosts: Readonly<Record<string, FakeHost>>,
  stage: Omit<Stage, "hosts" | "resumes"> & { resumes?: RunRecord } = {},
): Promise<{ played: Played; record: RunRecord }> {
  const file = new DyingDisk();
  const played = await playJournaled(book, { ...stage, hosts, file });
  const record = file.record();
  if (played === "dead" || record === undefined) throw new Error("it ran to its end");
  return { played, record };
}

/** What was changed, in order, as "step @ host". */
const changes = ({ of }: Played) => of("change").map(({ step, host }) => `${step} @ ${host}`);

describe("a run that is undone", () => {
  const three = declared(({ step, nodes }) => {
    const a = step("a", { on: nodes, ensure: setting({ name: "a", value: "1" }) });
    const b = step("b", { on: nodes, after: [a], ensure: setting({ name: "b", value: "1" }) });
    step("c", { on: nodes, after: [each(b)], ensure: setting({ name: "c", value: "1" }) });
  });

  test("goes back newest first, what depends on a step before the step", async () => {
    const hosts = hostsWith(["h1", "h2"], { a: "0", c: "0" });
    const { record } = await ran(three, hosts);
    expect(valuesOn(hosts["h1"])).toEqual({ a: "1", b: "1", c: "1" });
    const undone = await playUndo(three, [record], { hosts });
    expect(undone.recap).toMatchObject({ changed: 6, failed: 0, exitCode: 0 });
    for (const host of ["h1", "h2"]) {
      expect(valuesOn(hosts[host])).toEqual({ a: "0", c: "0" });
      expect(changes(undone).filter((change) => change.endsWith(host))).toEqual([
        `undo c @ ${host}`,
        `undo b @ ${host}`,
        `undo a @ ${host}`,
      ]);
    }
    // b waited for a on all hosts: a waits for b on all.
    const order = changes(undone);
    expect(order.indexOf("undo a @ h1")).toBeGreaterThan(order.indexOf("undo b @ h2"));
  });

  test("leaves alone what it had not changed", async () => {
    const hosts = hostsWith(["h1", "h2"], { a: "1", c: "0" });
    hosts["h2"]?.files.put("/etc/setting-b", "1");
    const { record } = await ran(three, hosts);
    const undone = await playUndo(three, [record], { hosts });
    expect(Object.keys(undone.outcomes).toSorted()).toEqual([
      "undo b @ h1",
      "undo c @ h1",
      "undo c @ h2",
    ]);
  });

  test("is undone once: the second time nothing is left to do", async () => {
    const hosts = hostsWith(["h1"], { a: "0" });
    const { record } = await ran(three, hosts);
    await playUndo(three, [record], { hosts });
    const again = await playUndo(three, [record], { hosts });
    expect(again.recap).toMatchObject({ ok: 3, changed: 0, exitCode: 0 });
  });

  test("under --check is shown, and not undone", async () => {
    const hosts = hostsWith(["h1"], { a: "0" });
    const { record } = await ran(three, hosts);
    const checked = await playUndo(three, [record], { hosts, mode: "check" });
    expect(checked.recap).toMatchObject({ wouldChange: 3, exitCode: 3 });
    expect(checked.of("change", "undo a")[0]?.change.diff).toMatchObject({
      before: "1",
      after: "0",
    });
    expect(valuesOn(hosts["h1"])).toEqual({ a: "1", b: "1", c: "1" });
  });

  test("that failed half-way goes back as far as it came", async () => {
    const hosts = hostsWith(["h1"], { a: "0" });
    const book = declared(({ step, nodes }) => {
      const a = step("a", { on: nodes, ensure: setting({ name: "a", value: "1" }) });
      step("c", { on: nodes, after: [a], ensure: failing({}) });
    });
    const { record, played } = await ran(book, hosts);
    expect(played.recap.failed).toBe(1);
    await playUndo(book, [record], { hosts });
    expect(valuesOn(hosts["h1"])).toEqual({ a: "0" });
  });

  test("and whose step was undone as it failed is not undone twice", async () => {
    const hosts = hostsWith(["h1"]);
    const book = declared(({ step, nodes }) => {
      const c = step("c", { on: nodes, onFail: "undo", ensure: failing({}) });
      step("d", { on: nodes, onChange: [c], ensure: setting({ name: "d", value: "1" }) });
    });
    const { record } = await ran(book, hosts);
    // Nothing is in doubt of it either, and nothing that it set off is owed.
    expect(record).toMatchObject({ doubts: [], owed: [] });
    expect(record.nodes[0]?.ended).toMatchObject({ outcome: "failed", undone: true });
    const undone = await playUndo(book, [record], { hosts });
    expect(undone.outcomes).toEqual({});
  });

  test("with a run that it went on with goes back to what that one found", async () => {
    const hosts = hostsWith(["h1"], { a: "0" });
    const first = await ran(three, hosts);
    hosts["h1"]?.files.put("/etc/setting-a", "by hand");
    const second = await ran(three, hosts, {
      resumes: first.record,
      id: "2026-11-26-220259-k3f9",
    });
    expect(second.played.recap.changed).toBe(1);
    await playUndo(three, [first.record, second.record], { hosts });
    expect(valuesOn(hosts["h1"])).toEqual({ a: "0" });
  });

  test("leaves what others depend on everywhere, where one of them could not be undone", async () => {
    const hosts = hostsWith(["h1", "h2"], { a: "0" });
    const { record } = await ran(three, hosts);
    spoil(hosts["h2"], "b");
    const { outcomes, end } = await playUndo(three, [record], { hosts });
    expect(outcomes).toMatchObject({
      "undo c @ h1": "changed",
      "undo b @ h1": "changed",
      "undo c @ h2": "changed",
      "undo b @ h2": "failed",
      "undo a @ h1": "skipped",
      "undo a @ h2": "skipped",
    });
    expect(end("undo a", "h1").why).toBe('"undo b" failed on h2');
    expect(valuesOn(hosts["h1"])).toEqual({ a: "1" });
  });

  test("stops on a host whose record somebody changed, and goes on elsewhere", async () => {
    const hosts = hostsWith(["h1", "h2"], { a: "0" });
    const independent = declared(({ step, nodes }) => {
      step("a", { on: nodes, ensure: setting({ name: "a", value: "1" }) });
      step("b", { on: nodes, ensure: setting({ name: "b", value: "1" }) });
    });
    const { record } = await ran(independent, hosts);
    spoil(hosts["h1"], "b");
    const { end, recap } = await playUndo(independent, [record], { hosts });
    expect(end("undo b", "h1")).toMatchObject({
      outcome: "failed",
      error: { code: "PB_UNDO_TAMPERED" },
    });
    expect(end("undo a", "h1")).toMatchObject({
      outcome: "skipped",
      why: '"undo b" failed on h1',
    });
    expect(valuesOn(hosts["h1"])).toEqual({ a: "1", b: "1" });
    expect(valuesOn(hosts["h2"])).toEqual({ a: "0" });
    expect(recap.exitCode).toBe(1);
  });
});

describe("what cannot be undone", () => {
  const lasting = defineModule({
    name: "lasting",
    summary: "Begins something.",
    params: z.strictObject({}),
    lasting: "what began goes on",
    async read(host) {
      return { begun: (await host.readFile("/etc/begun")) !== undefined };
    },
    *diff({ begun }) {
      if (!begun) yield run(sh`begin`, "begin it");
    },
  });
  const beginning = {
    begin: ({ host }: { host: FakeHost }) => void host.files.put("/etc/begun", ""),
  };

  test("stays, and so does what it depends on; all else goes back", async () => {
    const hosts = hostsWith(["h1", "h2"], { a: "0", b: "0", c: "0" });
    for (const host of Object.values(hosts)) host.programs(beginning as never);
    const book = declared(({ step, nodes, host }) => {
      const a = step("a", { on: nodes, ensure: setting({ name: "a", value: "1" }) });
      const b = step("b", { on: nodes, ensure: setting({ name: "b", value: "1" }) });
      const began = step("begin", { on: host("h1"), after: [a, each(b)], ensure: lasting({}) });
      step("c", { on: nodes, after: [began], ensure: setting({ name: "c", value: "1" }) });
    });
    const { record } = await ran(book, hosts);
    const undone = await playUndo(book, [record], { hosts });
    expect(undone.stays).toEqual([
      '"begin" stays on h1: what began goes on',
      '"a" stays on h1: "begin" on h1 depends on it',
      '"a" stays on h2: "begin" on h1 depends on it',
      '"b" stays on h1: "begin" on h1 depends on it',
    ]);
    expect(valuesOn(hosts["h1"])).toMatchObject({ a: "1", b: "1", c: "0" });
    expect(valuesOn(hosts["h2"])).toEqual({ a: "1", b: "0", c: "0" });
    expect(undone.recap.exitCode).toBe(0);
  });

  test("is what a host had no room to keep, which fails no run", async () => {
    const full = withRecords(new FakeHost(), { full: "cat: write error: No space left on device" });
    const hosts = { h1: full };
    const book = declared(({ step, nodes }) =>
      step("a", { on: nodes, ensure: setting({ name: "a", value: "1" }) }),
    );
    const { record, played } = await ran(book, hosts);
    expect(played.recap).toMatchObject({ changed: 1, failed: 0 });
    const undone = await playUndo(book, [record], { hosts });
    expect(undone.stays).toEqual([
      '"a" stays on h1: what it found was not kept: cat: write error: No space left on device',
    ]);
  });

  test("is what the playbook no longer has, and a host that it no longer names", async () => {
    const hosts = hostsWith(["h1", "h2"]);
    const book = (label: string) =>
      declared(({ step, nodes }) =>
        step(label, { on: nodes, ensure: setting({ name: "a", value: "1" }) }),
      );
    const { record } = await ran(book("a"), hosts);
    expect((await playUndo(book("renamed"), [record], { hosts })).stays).toEqual([
      '"a" stays on h1: the playbook has no such step there any more',
      '"a" stays on h2: the playbook has no such step there any more',
    ]);
    const { h1 = withRecords(new FakeHost()) } = hosts;
    const fewer = await playUndo(book("a"), [record], { hosts: { h1 } });
    expect(fewer.stays).toEqual(['"a" stays on h2: the playbook has no such step there any more']);
    expect(valuesOn(h1)).toEqual({});
  });
});

describe("what runs from files that were undone", () => {
  /** A program that is as old as the file that it read when it was started. */
  const daemon = defineModule({
    name: "daemon",
    summary: "Runs with a setting.",
    params: z.strictObject({}),
    async read(host) {
      const [file, loaded] = await Promise.all([
        host.readFile("/etc/setting-a"),
        host.readFile("/run/loaded"),
      ]);
      return { file, loaded };
    },
    *diff({ file, loaded }) {
      if (file !== loaded) yield run(sh`restart`, `restart for ${file}`);
    },
    *undo() {},
    *renew({ file, loaded }) {
      if (file !== loaded) yield run(sh`restart`, `restart for ${file}`);
    },
  });

  /** Hosts on which it runs with an old setting. */
  const running = (names: readonly string[]) => {
    const hosts = hostsWith(names, { a: "old" });
    for (const host of Object.values(hosts)) {
      host.files.put("/run/loaded", "old");
      host.programs({
        restart: () => {
          host.files.put("/run/loaded", host.files.text("/etc/setting-a") ?? "");
          return undefined;
        },
      });
    }
    return hosts;
  };

  test("is renewed once all else is undone", async () => {
    const hosts = running(["h1", "h2"]);
    const book = declared(({ step, nodes }) => {
      const a = step("a", { on: nodes, ensure: setting({ name: "a", value: "new" }) });
      step("daemon", { on: nodes, after: [each(a)], ensure: daemon({}) });
    });
    const { record } = await ran(book, hosts);
    expect(hosts["h1"]?.files.text("/run/loaded")).toBe("new");
    const undone = await playUndo(book, [record], { hosts });
    expect(hosts["h1"]?.files.text("/run/loaded")).toBe("old");
    expect(undone.outcomes).toMatchObject({
      "undo daemon @ h1": "ok",
      "undo a @ h1": "changed",
      "renew daemon @ h1": "changed",
      "renew daemon @ h2": "changed",
    });
  });

  test("is renewed in the batches in which its step rolls, with the gate between them", async () => {
    const hosts = running(["h1", "h2", "h3"]);
    const book = declared(({ step, nodes }) => {
      const a = step("a", { on: nodes, ensure: setting({ name: "a", value: "new" }) });
      step("daemon", {
        on: nodes,
        after: [each(a)],
        rolling: { batch: 1, gate: { until: settingIs({ value: "new" }), within: "1m" } },
        ensure: daemon({}),
      });
    });
    const { record } = await ran(book, hosts);
    // It can hold no more: the value that it waits for was undone.
    const { outcomes, forks } = await playUndo(book, [record], { hosts });
    expect(forks).toBe(1);
    expect(outcomes).toMatchObject({
      "undo a @ h3": "changed",
      "renew daemon @ h1": "changed",
      "renew daemon between batches @ h1": "failed",
      "renew daemon @ h2": "skipped",
      "renew daemon @ h3": "skipped",
    });
  });
});

describe("before a node's first change", () => {
  const book = declared(({ step, nodes }) =>
    step("a", { on: nodes, ensure: setting({ name: "a", value: "1" }) }),
  );
  const keeping = (host: FakeHost | undefined) =>
    host?.ran.filter(({ argv }) => argv[2]?.startsWith("# undo-keep")) ?? [];

  test("its record is on the host, and only where it is to change something", async () => {
    const hosts = hostsWith(["h1", "h2"], { a: "0" });
    hosts["h2"]?.files.put("/etc/setting-a", "1");
    const { record } = await ran(book, hosts);
    expect(recordsOn(hosts["h1"] ?? new FakeHost())).toHaveLength(1);
    expect(keeping(hosts["h2"])).toEqual([]);
    expect(record.nodes.map(({ keeping }) => keeping)).toEqual([
      { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      undefined,
    ]);
  });

  test("no record is made under --check", async () => {
    const hosts = hostsWith(["h1"]);
    await ran(book, hosts, { mode: "check" });
    expect(keeping(hosts["h1"])).toEqual([]);
  });
});

/** Writes a file, and fails after it. */
const failing = defineModule({
  ...setting.spec,
  name: "failing",
  params: z.strictObject({ name: z.string().default("c"), value: z.string().default("1") }),
  *diff(now: { value: string }, want: { name: string; value: string }) {
    yield* setting.spec.diff(now, want);
    yield run(sh`false`, "fail");
  },
});
