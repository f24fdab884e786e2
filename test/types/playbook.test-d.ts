import {
  combine,
  defineInventory,
  defineModule,
  defineProbe,
  each,
  noParams,
  playbook,
  type Ref,
  sh,
} from "run-playbook";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";

const lab = defineInventory({
  hosts: { cp1: { address: "2001:db8::1" }, w1: { address: "2001:db8::2" } },
  groups: { controlPlane: ["cp1"], workers: ["w1"] },
});

const cluster = defineModule({
  name: "cluster",
  summary: "A cluster.",
  params: z.strictObject({ subnets: z.array(z.string()), port: z.number().default(6443) }),
  outputs: z.object({ endpoint: z.string(), members: z.number() }),
  async read() {
    return { endpoint: "a", members: 1 };
  },
  *diff() {},
});

const answers = defineProbe({
  name: "answers",
  summary: "It answers.",
  params: noParams,
  async check() {
    return { holds: true, saw: "an answer" };
  },
});

test("a module's undo sees what its read gives, twice, and its params", () => {
  defineModule({
    name: "kept",
    summary: "A thing.",
    params: z.strictObject({ port: z.number().default(1) }),
    read: async () => ({ found: "a" as string | undefined }),
    *diff() {},
    undo(before, now, want) {
      expectTypeOf(before).toEqualTypeOf<{ found: string | undefined }>();
      expectTypeOf(now).toEqualTypeOf(before);
      expectTypeOf(want.port).toEqualTypeOf<number>();
      return [];
    },
  });
});

test("a gate between batches is a probe with a deadline, and knows the hosts' settings", () => {
  const options = { inventory: lab, hostSettings: z.object({ port: z.number() }) };
  playbook("rolling", options, ({ step, groups }) => {
    const common = { on: groups.workers, ensure: cluster({ subnets: [] }) };
    step("whole", {
      ...common,
      rolling: {
        batch: [1, "10%", "100%"],
        maxFailed: "5%",
        gate: {
          until: ({ settings }) => {
            expectTypeOf(settings).toEqualTypeOf<{ port: number }>();
            return answers({});
          },
          within: "1m",
          holdFor: "10s",
          every: "2s",
          as: "root",
          via: groups.controlPlane.first,
        },
      },
    });
    step("plain", { ...common, rolling: { batch: 1, gate: { until: answers({}), within: "1m" } } });

    // @ts-expect-error a gate without a deadline
    step("endless", { ...common, rolling: { batch: 1, gate: { until: answers({}) } } });

    step("action", {
      ...common,
      // @ts-expect-error a module where a probe belongs
      rolling: { batch: 1, gate: { until: cluster({ subnets: [] }), within: "1m" } },
    });

    step("many", {
      ...common,
      // @ts-expect-error asked through several hosts
      rolling: { batch: 1, gate: { until: answers({}), within: "1m", via: groups.workers } },
    });

    // @ts-expect-error a percent without its sign
    step("size", { ...common, rolling: { batch: "10" } });
  });
});

test("what must not compile does not compile", () => {
  // @ts-expect-error a member that is no host
  defineInventory({ hosts: { a: { address: "::1" } }, groups: { g: ["b"] } });

  // @ts-expect-error an unknown param
  cluster({ subnets: [], colour: "red" });

  // @ts-expect-error a value of the wrong type
  cluster({ subnets: "one" });

  playbook("night", { window: { days: ["fri"], from: "22:00", to: "04:00" } }, () => undefined);
  // @ts-expect-error a time of day that is none
  playbook("night", { window: { from: "ten", to: "04:00" } }, () => undefined);
  // @ts-expect-error a day that is none
  playbook("night", { window: { days: ["friday"], from: "22:00", to: "04:00" } }, () => undefined);

  playbook("types", { inventory: lab }, ({ step, gate, groups }) => {
    const one = step("one", { on: groups.controlPlane.first, ensure: cluster({ subnets: [] }) });
    expectTypeOf(one.out.endpoint).toEqualTypeOf<Ref<string>>();

    const many = step("many", { on: groups.workers, ensure: cluster({ subnets: [] }) });
    expectTypeOf(many.out.each.endpoint).toEqualTypeOf<Ref<string>>();
    expectTypeOf(many.out.all.members).toEqualTypeOf<Ref<readonly number[]>>();
    // @ts-expect-error a step on several hosts has no single output
    many.out.endpoint;

    // @ts-expect-error an unknown output
    one.out.colour;

    // @ts-expect-error an unknown group
    groups.databases;

    // @ts-expect-error a step without what it ensures
    step("empty", { on: groups.workers });

    // @ts-expect-error a step option that does not exist
    step("odd", { on: groups.workers, ensure: cluster({ subnets: [] }), become: true });

    step("refs", { on: groups.workers, ensure: cluster({ subnets: [one.out.endpoint] }) });
    step("mapped", {
      on: groups.workers,
      after: [one, each(many)],
      ensure: cluster({ subnets: combine({ a: one.out.endpoint }).map(({ a }) => [a]) }),
    });
    step("rescue", { on: groups.workers, onFail: [one], ensure: cluster({ subnets: [] }) });
    step("careful", { on: groups.workers, onFail: "undo", ensure: cluster({ subnets: [] }) });
    // @ts-expect-error another word than "undo"
    step("odd word", { on: groups.workers, onFail: "redo", ensure: cluster({ subnets: [] }) });
    // @ts-expect-error a gate changes nothing, so there is nothing to undo
    gate("gate", { on: groups.workers, onFail: "undo", within: "1s", until: answers({}) });

    // @ts-expect-error an output of the wrong type
    step("wrong", { on: groups.workers, ensure: cluster({ subnets: [], port: one.out.endpoint }) });

    // @ts-expect-error an output cannot go into a command before it exists
    sh`echo ${one.out.endpoint}`;
  });
});
