import fc from "fast-check";
import { expect, test } from "vitest";
import { type Playbook, playbook } from "#engine/dsl/playbook.ts";
import { type AnyStep, each } from "#engine/dsl/step.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import type { RunRecord } from "#engine/journal/record.ts";
import { withRecords } from "../../../support/fakes/records.ts";
import { DyingDisk, playJournaled } from "../../../support/journaled.ts";
import { setting } from "../../../support/settings.ts";
import { playUndo } from "../../../support/undone.ts";

const NAMES = ["a", "b", "c"];

interface Spec {
  /** What each host has, by setting; empty where it has none. */
  readonly hosts: readonly (readonly string[])[];
  /** Several steps may keep the same setting, as files that two steps write: the last one to come wins. */
  readonly steps: readonly {
    readonly name: number;
    readonly value: string;
    readonly edges: readonly { readonly to: number; readonly kind: number }[];
  }[];
  /** Where runs die on their disks; each is gone on with by the next. */
  readonly kills: readonly number[];
  /** Whether the last run comes to its end. */
  readonly ends: boolean;
}

const value = fc.constantFrom("1", "2", "3");
const spec: fc.Arbitrary<Spec> = fc.record({
  hosts: fc.array(fc.tuple(...NAMES.map(() => fc.constantFrom("", "0", "1"))), {
    minLength: 1,
    maxLength: 3,
  }),
  steps: fc.array(
    fc.record({
      name: fc.nat(2),
      value,
      edges: fc.array(fc.record({ to: fc.nat(4), kind: fc.nat(2) }), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  kills: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
  ends: fc.boolean(),
});

const playbookFor = ({ steps }: Spec): Playbook =>
  playbook("random", { groups: ["nodes"] }, ({ step, groups: { nodes } }) => {
    const made: AnyStep[] = [];
    for (const [index, { name, value, edges }] of steps.entries()) {
      const after = edges.flatMap(({ to, kind }) => {
        const other = made[to];
        return other === undefined ? [] : [kind === 0 ? other : each(other)];
      });
      const ensure = setting({ name: NAMES[name] ?? "a", value });
      made.push(step(`s${index}`, { on: nodes, after, ensure }));
    }
  });

/**
 * Whether two steps fight over a setting, so that every run changes it twice. Within one run what goes back last was
 * changed first; but a run that is gone on with changes steps for the first time after those that depend on them, and
 * these go back first all the same.
 */
const isFight = ({ steps, kills }: Spec): boolean =>
  kills.length > 0 &&
  steps.some(({ name, value }) =>
    steps.some((other) => other.name === name && other.value !== value),
  );

const hostsFor = ({ hosts }: Spec) =>
  Object.fromEntries(
    hosts.map((values, index) => {
      const host = withRecords(new FakeHost());
      for (const [at, value] of values.entries())
        if (value !== "") host.files.put(`/etc/setting-${NAMES[at]}`, value);
      return [`h${index}`, host];
    }),
  );

const settingsOf = (hosts: Readonly<Record<string, FakeHost>>) =>
  Object.entries(hosts).map(([name, { files }]) => [
    name,
    ...NAMES.map((setting) => files.text(`/etc/setting-${setting}`)),
  ]);

/** Runs a playbook, dying and going on, and gives the journals of all its runs. */
async function liveAndDie(given: Spec, book: Playbook, hosts: Readonly<Record<string, FakeHost>>) {
  const whole = new DyingDisk();
  await playJournaled(book, { hosts: hostsFor(given), file: whole });
  const disks = given.kills.map((at) => new DyingDisk({ bytes: at * whole.text.length }));
  const runs: RunRecord[] = [];
  for (const [index, file] of [...disks, ...(given.ends ? [new DyingDisk()] : [])].entries()) {
    const id = `2026-11-26-22015${index}-k3f9`;
    await playJournaled(book, { hosts, file, id, resumes: runs.at(-1) });
    const record = file.record();
    if (record !== undefined) runs.push(record);
  }
  return runs;
}

test("however often a run died and was gone on with, undone it leaves every host as it was before", async () => {
  let undone = 0;
  await fc.assert(
    fc.asyncProperty(spec, async (given) => {
      fc.pre(!isFight(given));
      const [book, hosts] = [playbookFor(given), hostsFor(given)];
      const before = settingsOf(hosts);
      const runs = await liveAndDie(given, book, hosts);
      const { recap, stays } = await playUndo(book, runs, { hosts });
      expect(stays).toEqual([]);
      expect(recap).toMatchObject({ failed: 0, skipped: 0, exitCode: 0 });
      expect(settingsOf(hosts)).toEqual(before);
      undone += recap.changed;
    }),
    { numRuns: 150 },
  );
  expect(undone).toBeGreaterThan(200);
});
