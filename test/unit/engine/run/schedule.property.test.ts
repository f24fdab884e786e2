import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { playbook } from "#engine/dsl/playbook.ts";
import { type AnyStep, each, type Rolling } from "#engine/dsl/step.ts";
import { makePlan } from "#engine/plan/expand.ts";
import { nodeId, type Plan, type PlanNode } from "#engine/plan/plan.ts";
import { batchSizes, maxFailedOf } from "#engine/plan/rolling.ts";
import { type Ended, isFailure } from "#engine/run/ended.ts";
import { Ledger } from "#engine/run/ledger.ts";
import { Schedule } from "#engine/run/schedule.ts";
import { judge } from "#engine/run/verdict.ts";
import { inventoryOf } from "../../../support/play.ts";
import { setting, settingIs } from "../../../support/settings.ts";

// Hundreds of plays a property: on a busy machine that is more than the usual five seconds.
vi.setConfig({ testTimeout: 60_000 });

const size = fc.oneof(
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 100 }).map((percent) => `${percent}%` as const),
);
const rolling: fc.Arbitrary<Rolling> = fc.record(
  {
    batch: fc.oneof(size, fc.array(size, { minLength: 1, maxLength: 3 })),
    maxFailed: fc.oneof(
      fc.nat(4),
      fc.integer({ min: 0, max: 60 }).map((percent) => `${percent}%` as const),
    ),
  },
  { requiredKeys: ["batch"] },
);

interface Spec {
  readonly hosts: number;
  readonly forks: number;
  /** Each step: which earlier ones it waits for (and how), whether it rolls. */
  readonly steps: readonly {
    readonly edges: readonly { readonly to: number; readonly kind: number }[];
    readonly rolling: Rolling | undefined;
    /** Whether a gate stands between its batches. */
    readonly gated: boolean;
  }[];
  /** Seeds the outcome of node number i. */
  readonly fates: readonly number[];
  /** Stop after so many ends. */
  readonly stopAfter: number;
}

const spec: fc.Arbitrary<Spec> = fc.record({
  hosts: fc.integer({ min: 1, max: 12 }),
  forks: fc.integer({ min: 1, max: 12 }),
  steps: fc.array(
    fc.record({
      edges: fc.array(fc.record({ to: fc.nat(5), kind: fc.nat(4) }), { maxLength: 3 }),
      rolling: fc.option(rolling, { nil: undefined }),
      gated: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  fates: fc.array(fc.nat(9), { minLength: 120, maxLength: 120 }),
  stopAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(20)),
});

function planFor({ hosts, steps }: Spec): Plan {
  const names = Array.from({ length: hosts }, (_, index) => `h${index}`);
  const declared = playbook("random", { groups: ["nodes"] }, ({ step, groups: { nodes } }) => {
    const made: AnyStep[] = [];
    for (const { edges, rolling, gated } of steps) {
      const own = { after: [] as unknown[], onChange: [] as unknown[], onFail: [] as unknown[] };
      for (const { to, kind } of edges) {
        const other = made[to];
        if (other === undefined) continue;
        if (kind === 0) own.onFail.push(other);
        else if (kind === 1) own.onChange.push(each(other));
        else own.after.push(kind === 2 ? each(other) : other);
      }
      const options = { on: nodes, ensure: setting({ value: "1" }), ...own };
      const gate = gated ? { gate: { until: settingIs({ value: "1" }), within: "1m" } } : {};
      const rolls = rolling && { rolling: { ...rolling, ...gate } };
      made.push(step(`s${made.length}`, { ...options, ...rolls } as never));
    }
  });
  return makePlan({ playbook: declared, inventory: inventoryOf(names), params: {} });
}

const fateOf = (fate: number, { step, host }: PlanNode): Ended => {
  if (fate === 0) return { outcome: "failed", changes: 0, root: `${step.label} on ${host.name}` };
  if (fate === 1) return { outcome: "unreachable", changes: 0, root: host.name };
  return { outcome: fate < 6 ? "changed" : "ok", changes: 1 };
};

/** The hosts of each batch, by the label of the step that rolls. */
const batches = ({ steps }: Plan, hosts: number) =>
  new Map(
    steps.flatMap((step) => {
      if (step.kind === "gate" || step.rolling === undefined) return [];
      const names = [...step.on.hosts];
      const sizes = batchSizes(step.rolling, hosts);
      return [[step.label, sizes.map((size) => names.splice(0, size))] as const];
    }),
  );

/** What must have ended, and how, before a node of a rolling step or of its gate may begin; what of it did not. */
function pastGate(
  { step, host }: PlanNode,
  batchesOf: ReadonlyMap<string, readonly string[][]>,
  ends: ReadonlyMap<string, readonly Ended[]>,
): string[] {
  const rolls = step.kind === "gate" ? (step.between ?? "") : step.label;
  const gate = step.kind === "gate" ? step.label : step.batchGate;
  const all = batchesOf.get(rolls) ?? [];
  const own = all.findIndex((names) => names.includes(host.name));
  if (gate === undefined || own === -1) return [];
  const before = all.slice(0, own).flat();
  const missing = [
    ...before.map((name) => nodeId(gate, name)),
    ...(step.kind === "gate" ? (all[own] ?? []).map((name) => nodeId(rolls, name)) : []),
  ].filter((id) => !ends.has(id));
  const shut = before.filter((name) => ends.get(nodeId(gate, name))?.some(isFailure));
  return [
    ...missing.map((id) => `${step.label} on ${host.name} began before ${id} ended`),
    ...shut.map((name) => `${step.label} on ${host.name} began though ${gate} failed on ${name}`),
  ];
}

/** Plays a spec with the ends of nodes in the order that fast-check picks, and watches. */
async function watch(given: Spec, scheduler: fc.Scheduler) {
  const plan = planFor(given);
  const ledger = new Ledger(plan);
  const stop = new AbortController();
  const ends = new Map<string, Ended[]>();
  const flying = new Set<PlanNode>();
  const seen = { begun: [] as string[], inFlight: new Map<string, number>(), afterStop: 0 };
  const failed = new Map<string, number>();
  const problems: string[] = [];
  const batchesOf = batches(plan, given.hosts);
  const schedule = new Schedule({
    plan,
    forks: given.forks,
    batches: true,
    stop: stop.signal,
    judge: (node) => judge(node, ledger),
    async work(node) {
      const { label } = node.step;
      if (stop.signal.aborted) seen.afterStop += 1;
      const acting = Array.from(flying).filter(({ step }) => step.kind === "action");
      if (node.step.kind === "action") {
        if (acting.some(({ actsOn }) => actsOn === node.actsOn))
          problems.push(`two nodes at once on ${node.actsOn}`);
        if (acting.length >= given.forks) problems.push("more than forks at once");
        if (node.step.rolling !== undefined)
          if ((failed.get(label) ?? 0) > maxFailedOf(node.step.rolling, given.hosts))
            problems.push(`${label} went on past maxFailed`);
      }
      problems.push(...pastGate(node, batchesOf, ends));
      flying.add(node);
      seen.begun.push(nodeId(label, node.host.name));
      const inFlight = Array.from(flying).filter(({ step }) => step.label === label).length;
      seen.inFlight.set(label, Math.max(seen.inFlight.get(label) ?? 0, inFlight));
      await scheduler.schedule(Promise.resolve(), nodeId(label, node.host.name));
      flying.delete(node);
      const ended = fateOf(given.fates[node.rank] ?? 9, node);
      if (isFailure(ended)) failed.set(label, (failed.get(label) ?? 0) + 1);
      return ended;
    },
    ended(node, ended) {
      const id = nodeId(node.step.label, node.host.name);
      ends.set(id, [...(ends.get(id) ?? []), ended]);
      ledger.record(node, ended);
      if (ends.size >= given.stopAfter) stop.abort();
    },
  });
  await scheduler.waitFor(schedule.run());
  return { plan, ends, seen, problems };
}

test("whatever the graph, the failures and the timing: one end a node, batches and limits kept, nothing after a stop", async () => {
  await fc.assert(
    fc.asyncProperty(spec, fc.scheduler(), async (given, scheduler) => {
      const { plan, ends, seen, problems } = await watch(given, scheduler);
      expect(problems).toEqual([]);
      expect(seen.afterStop).toBe(0);
      expect(ends.size).toBe(plan.nodes.length);
      for (const all of ends.values()) expect(all).toHaveLength(1);
      for (const { label, ...step } of plan.steps) {
        if (step.kind === "gate" || step.rolling === undefined) continue;
        const largest = Math.max(...batchSizes(step.rolling, given.hosts));
        expect(seen.inFlight.get(label) ?? 0).toBeLessThanOrEqual(largest);
      }
    }),
    { numRuns: 300 },
  );
});

test("every failure shown is a root: what was skipped for it names a node that really failed", async () => {
  await fc.assert(
    fc.asyncProperty(spec, fc.scheduler(), async (given, scheduler) => {
      const { ends } = await watch(given, scheduler);
      const all = Array.from(ends.values(), ([ended]) => ended!);
      const roots = new Set(all.filter(isFailure).map(({ root }) => root));
      for (const { outcome, root } of all)
        if (outcome === "skipped" && root !== undefined && root !== "the run was stopped")
          expect(roots).toContain(root);
    }),
    { numRuns: 100 },
  );
});

test("the same outcomes and the same timing give the same order", async () => {
  await fc.assert(
    fc.asyncProperty(spec, fc.integer(), async (given, seed) => {
      const run = () => {
        const sample = fc.sample(fc.scheduler(), { seed, numRuns: 1 })[0];
        return watch(given, sample!);
      };
      const [first, second] = [await run(), await run()];
      expect(second.seen.begun).toEqual(first.seen.begun);
      expect([...second.ends]).toEqual([...first.ends]);
    }),
    { numRuns: 50 },
  );
});

test("batches cover every host, follow the ramp and repeat its last size", () => {
  expect(batchSizes({ batch: [1, "10%", "100%"] }, 25)).toEqual([1, 2, 22]);
  expect(batchSizes({ batch: 2 }, 5)).toEqual([2, 2, 1]);
  expect(batchSizes({ batch: "10%" }, 5)).toEqual([1, 1, 1, 1, 1]);
  fc.assert(
    fc.property(rolling, fc.nat(200), (given, hosts) => {
      const sizes = batchSizes(given, hosts);
      expect(sizes.reduce((sum, next) => sum + next, 0)).toBe(hosts);
      expect(sizes.every((next) => next >= 1)).toBe(true);
    }),
  );
});
