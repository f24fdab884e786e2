import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { run } from "#engine/dsl/change.ts";
import { defineModule } from "#engine/dsl/module.ts";
import { type Playbook, playbook } from "#engine/dsl/playbook.ts";
import { type AnyStep, each } from "#engine/dsl/step.ts";
import { sh } from "#engine/host/command.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import type { RunRecord } from "#engine/journal/record.ts";
import { DyingDisk, playJournaled } from "../../../support/journaled.ts";

/** Keeps lines in a log of the host; each change adds one, and nothing but the log can tell that it was made. */
const lines = defineModule({
  name: "lines",
  summary: "Keep lines in /var/log.",
  params: z.strictObject({ name: z.string(), count: z.number() }),
  async read(host, { name, count }) {
    const log = (await host.readFile("/var/lib/log"))?.split("\n") ?? [];
    const wanted = Array.from({ length: count }, (_, index) => `${name}.${index}`);
    return { missing: wanted.filter((line) => !log.includes(line)) };
  },
  *diff({ missing }) {
    for (const line of missing) yield run(sh`note ${line}`, `note ${line}`);
  },
});

const noteBook = (before: readonly string[]): FakeHost => {
  const host = new FakeHost().programs({
    note: ({ args: [line = ""] }) => {
      host.files.put("/var/lib/log", `${host.files.text("/var/lib/log")}${line}\n`);
      return "";
    },
  });
  host.files.put("/var/lib/log", before.map((line) => `${line}\n`).join(""));
  return host;
};

interface Spec {
  readonly hosts: number;
  readonly forks: number;
  readonly steps: readonly {
    readonly count: number;
    readonly edges: readonly { readonly to: number; readonly kind: number }[];
  }[];
  /** What hosts have already: step × host. */
  readonly before: readonly (readonly [step: number, host: number])[];
  /** Where each run dies: -1 before its first entry is whole, from 0 (right after it) to 1 (its very end); or in a sync. */
  readonly kills: readonly { readonly at: number; readonly inSync: boolean }[];
}

const spec: fc.Arbitrary<Spec> = fc.record({
  hosts: fc.integer({ min: 1, max: 3 }),
  forks: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(
    fc.record({
      count: fc.integer({ min: 0, max: 3 }),
      edges: fc.array(fc.record({ to: fc.nat(3), kind: fc.nat(3) }), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  before: fc.array(fc.tuple(fc.nat(5), fc.nat(2)), { maxLength: 6 }),
  kills: fc.array(
    fc.record({ at: fc.double({ min: -0.1, max: 1, noNaN: true }), inSync: fc.boolean() }),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
});

const playbookFor = ({ steps }: Spec): Playbook =>
  playbook("random", { groups: ["nodes"] }, ({ step, groups: { nodes } }) => {
    const made: AnyStep[] = [];
    for (const [index, { count, edges }] of steps.entries()) {
      const after: unknown[] = [];
      const onChange: unknown[] = [];
      for (const { to, kind } of edges) {
        const other = made[to];
        if (other === undefined) continue;
        (kind < 2 ? onChange : after).push(kind % 2 === 0 ? each(other) : other);
      }
      const ensure = lines({ name: `s${index}`, count });
      made.push(step(`s${index}`, { on: nodes, ensure, after, onChange } as never));
    }
  });

const hostsFor = ({ hosts, before, steps }: Spec) =>
  Object.fromEntries(
    Array.from({ length: hosts }, (_, index) => {
      const had = before.filter(([, host]) => host === index).map(([step]) => step);
      const all = Array.from(new Set(had)).flatMap((step) =>
        Array.from({ length: steps[step]?.count ?? 0 }, (_, line) => `s${step}.${line}`),
      );
      return [`h${index}`, noteBook(all)];
    }),
  );

const logsOf = (hosts: Readonly<Record<string, FakeHost>>) =>
  Object.entries(hosts).map(
    ([name, host]) =>
      `${name}: ${(host.files.text("/var/lib/log") ?? "").trim().split("\n").sort()}`,
  );

/** Where on its disk each run dies, for a spec whose undisturbed run filled `whole`. */
function deathsOf({ kills }: Spec, whole: DyingDisk): DyingDisk[] {
  const size = whole.text.length;
  const first = whole.text.indexOf("\n") + 1;
  return kills.map(({ at, inSync }) =>
    inSync
      ? new DyingDisk({ syncs: Math.floor((at + 1) * 0.5 * whole.syncs) })
      : new DyingDisk({ bytes: at < 0 ? 10 : Math.floor(first + at * (size - first)) }),
  );
}

/** Runs, dies, and is resumed until it comes to its end. */
async function killedAndResumed(given: Spec, deaths: readonly DyingDisk[]) {
  const hosts = hostsFor(given);
  const { forks } = given;
  let resumes: RunRecord | undefined;
  for (const file of deaths) {
    const played = await playJournaled(playbookFor(given), { hosts, forks, file, resumes });
    if (played !== "dead") return { hosts, ended: played };
    resumes = file.record() ?? resumes;
  }
  const ended = await playJournaled(playbookFor(given), { hosts, forks, resumes });
  return { hosts, ended };
}

/** A cause, what it sets off on the same host, what that sets off everywhere, and what goes on beside it. */
const chain: Spec = {
  hosts: 2,
  forks: 2,
  steps: [
    { count: 2, edges: [] },
    { count: 1, edges: [{ to: 0, kind: 0 }] },
    { count: 1, edges: [{ to: 1, kind: 1 }] },
    { count: 2, edges: [{ to: 0, kind: 2 }] },
  ],
  before: [[0, 1]],
  kills: [],
};

/** Before, in and after each line, and in each sync. */
function writePoints({ text, syncs }: DyingDisk): DyingDisk[] {
  const ends = Array.from(text.toString("latin1").matchAll(/\n/g), ({ index }) => index + 1);
  return [
    ...[0, ...ends].flatMap((bytes) => [bytes, bytes + 9]).map((bytes) => new DyingDisk({ bytes })),
    ...Array.from({ length: syncs }, (_, index) => new DyingDisk({ syncs: index })),
  ];
}

test("killed at each write and each sync, a run resumed ends as one that was never disturbed", async () => {
  const undisturbed = hostsFor(chain);
  const whole = new DyingDisk();
  await playJournaled(playbookFor(chain), { hosts: undisturbed, forks: 2, file: whole });
  const points = writePoints(whole);
  expect(points.length).toBeGreaterThan(80);
  const later = writePoints(whole).toReversed();
  for (const [index, point] of points.entries()) {
    // And a second time, from the other end.
    const { hosts } = await killedAndResumed(chain, [point, later[index] as DyingDisk]);
    expect(logsOf(hosts), `death ${index}`).toEqual(logsOf(undisturbed));
  }
});

test("killed at any byte or sync of its journal, again and again, a run resumed ends as one that was never disturbed, each change made once", async () => {
  await fc.assert(
    fc.asyncProperty(spec, async (given) => {
      const undisturbed = hostsFor(given);
      const whole = new DyingDisk();
      const { forks } = given;
      await playJournaled(playbookFor(given), { hosts: undisturbed, forks, file: whole });
      const { hosts, ended } = await killedAndResumed(given, deathsOf(given, whole));
      expect(ended === "dead" ? 1 : ended.recap.exitCode).toBe(0);
      expect(logsOf(hosts)).toEqual(logsOf(undisturbed));
    }),
    { numRuns: 300 },
  );
}, 120_000);
