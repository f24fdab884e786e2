import { combine, defineInventory, defineModule, each, playbook, type Ref, sh } from "run-playbook";
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

  playbook("types", { inventory: lab }, ({ step, groups }) => {
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
    // @ts-expect-error an output of the wrong type
    step("wrong", { on: groups.workers, ensure: cluster({ subnets: [], port: one.out.endpoint }) });

    // @ts-expect-error an output cannot go into a command before it exists
    sh`echo ${one.out.endpoint}`;
  });
});
