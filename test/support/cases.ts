/**
 * Case files: modules/<module>/cases/<case>.yaml says what a playbook gives, what the host is like, and what is then
 * to change. Data, not code: a new case is a new file.
 *
 * ```yaml
 * params: { values: { net.ipv6.conf.all.forwarding: 1 } }
 * host:
 *   files: { /etc/sysctl.d/90-cluster.conf: "" }
 *   commands: [{ script: sysctl-live, stdout: "net.ipv6.conf.all.forwarding\t0\n" }]
 * changes:
 *   - { op: write, path: /etc/sysctl.d/90-cluster.conf }
 *   - { op: run, argv: [sysctl, -w, net.ipv6.conf.all.forwarding=1] }
 * then:
 *   commands: [{ script: sysctl-live, stdout: "net.ipv6.conf.all.forwarding\t1\n" }]
 * ```
 *
 * `changes` is complete and in order; of each change only what is given is compared. `error: PB_CODE` (with `says:`
 * for parts of the message) stands in its place where params, read() or diff() refuse. `then` starts from the first
 * host with its file changes made, so that it lists only other answers.
 *
 * Where a module can be undone, every case with `then` is: from there back to the first host, whose files must be as
 * they were, and nothing may be left. `undo` states the changes of the way back as `changes` does, or the PB_CODE of
 * what cannot be brought back; `back` lists files that commands change on it.
 */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ModuleSpec, ProbeSpec } from "#engine/dsl/module.ts";
import { isPlaybookError } from "#engine/index.ts";
import { describeChange, expectChanges } from "./case-changes.ts";
import { type Case, caseFiles, loadCase, moduleFolders } from "./case-file.ts";
import { caseHost, hostAfter } from "./case-host.ts";
import { expectWayBack } from "./case-undo.ts";

type Spec = ModuleSpec | ProbeSpec;

/** Every module and probe that modules/index.ts exports, by name. */
export function specsOf(exported: Record<string, unknown>): Map<string, Spec> {
  const specs = Object.values(exported).flatMap((value) =>
    typeof value === "function" && "spec" in value ? [value.spec as Spec] : [],
  );
  return new Map(specs.map((spec) => [spec.name, spec]));
}

/** Declares a test for every case file, and one per module that its cases are enough. */
export function declareCases(exported: Record<string, unknown>): void {
  const specs = specsOf(exported);
  const seen = new Map<string, Case[]>();
  for (const folder of moduleFolders())
    describe(folder, () => {
      let covered = false;
      for (const file of caseFiles(folder))
        test(file.replace(/\.yaml$/, "").replaceAll("-", " "), async () => {
          const one = loadCase(folder, file);
          const spec = specs.get(one.module);
          if (spec === undefined)
            throw new Error(`${one.path}: modules/index.ts exports no "${one.module}"`);
          covered = true;
          seen.set(one.module, [...(seen.get(one.module) ?? []), one]);
          await runCase(spec, one);
        });
      test("is exported and covered", () => {
        expect(covered, `modules/${folder} has no cases/*.yaml`).toBe(true);
      });
    });
  describe("coverage", () => {
    test.each([...specs.values()])("$name has enough cases", (spec) => {
      expectEnough(spec, seen.get(spec.name) ?? []);
    });
  });
}

function expectEnough(spec: Spec, cases: readonly Case[]): void {
  if ("check" in spec) {
    const held = cases.map(({ answer }) => answer?.holds);
    expect(held, "a case that holds and one that does not").toEqual(
      expect.arrayContaining([true, false]),
    );
    return;
  }
  expect(cases.length, "cases").toBeGreaterThanOrEqual(3);
  const idle = cases.some(({ changes }) => changes?.length === 0);
  expect(idle, "a case in which nothing is to do").toBe(true);
  const changing = cases.some(({ changes = [] }) => changes.length > 0);
  if (spec.undo === undefined || !changing) return;
  const undone = cases.some(({ undo }) => Array.isArray(undo) && undo.length > 0);
  expect(undone, "a case with `undo`").toBe(true);
}

/** One case: read, diff, compare; and the second host, where nothing may be left. */
async function runCase(spec: Spec, one: Case): Promise<void> {
  if (one.error !== undefined) {
    const error = await refusal(spec, one);
    expect(error.code, error.text).toBe(one.error);
    for (const part of [one.says ?? []].flat()) expect(error.text).toContain(part);
    return;
  }
  const want = spec.params.parse(one.params);
  if ("check" in spec) {
    expect(await spec.check(caseHost(one.host), want)).toMatchObject(one.answer ?? {});
    return;
  }
  const { now, changes } = await observe(spec, one.host, want);
  if (one.now !== undefined) expect(now).toMatchObject(one.now);
  expectChanges(changes, one.changes ?? []);
  await expectWayBack(spec, one);
  if (one.then === undefined) return;
  const after = await observe(spec, hostAfter(one.host, changes, one.then), want);
  expect(after.changes.map(describeChange), "changes left in the second state").toEqual([]);
}

async function observe(spec: ModuleSpec, state: Case["host"], want: Record<string, unknown>) {
  const now = await spec.read(caseHost(state), want);
  if (spec.outputs !== undefined) spec.outputs.parse(now);
  return { now, changes: [...spec.diff(now, want)] };
}

async function refusal(spec: Spec, one: Case): Promise<{ code: string; text: string }> {
  const want = spec.params.safeParse(one.params);
  if (!want.success) return { code: "PB_PARAMS_INVALID", text: z.prettifyError(want.error) };
  try {
    if ("check" in spec) await spec.check(caseHost(one.host), want.data);
    else await observe(spec, one.host, want.data);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    const { hint = "", context } = isPlaybookError(error) ? error : {};
    const lines = [error.message, hint, context?.state ?? "", ...(context?.output ?? [])];
    return { code: String(error.code), text: lines.join("\n") };
  }
  throw new Error(`${one.path}: expected ${one.error}, but nothing was refused`);
}
