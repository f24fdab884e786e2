import { describe, expect, test } from "vitest";
import { z } from "zod";
import { HostSet } from "#engine/dsl/host-set.ts";
import { defineInventory } from "#engine/dsl/inventory.ts";
import { type Play, playbook } from "#engine/dsl/playbook.ts";
import type { Ref } from "#engine/dsl/ref.ts";
import { each, type StepHandle } from "#engine/dsl/step.ts";
import { makePlan } from "#engine/plan/expand.ts";
import type { Filters } from "#engine/plan/filter.ts";
import { caught } from "../../../support/caught.ts";
import { inventoryOf } from "../../../support/play.ts";
import { setting, settingIs } from "../../../support/settings.ts";

type AnyPlay = Play<"nodes" | "rest", unknown, unknown, unknown>;
const stage = inventoryOf(["a", "b", "c"], {
  groups: { nodes: ["c", "a", "b"], rest: ["b", "c"], none: [] },
});
const planOf = (declare: (play: AnyPlay) => void, filters: Filters = {}) =>
  makePlan(
    {
      playbook: playbook("test", { groups: ["nodes", "rest"] }, declare as never),
      inventory: stage,
      params: {},
    },
    filters,
  );
const named = (nodes: readonly { step: { label: string }; host: { name: string } }[]) =>
  nodes.map(({ step, host }) => `${step.label} @ ${host.name}`);
const value = (given: string | Ref<string> = "1") => setting({ value: given });

describe("a plan", () => {
  test("has a node for each step on each host, in inventory order, after what it waits for", () => {
    const plan = planOf(({ step, groups }) => {
      const one = step("one", { on: groups.nodes, ensure: value() });
      step("two", { on: groups.rest, after: [one], ensure: value() });
    });
    expect(named(plan.nodes)).toEqual(["one @ a", "one @ b", "one @ c", "two @ b", "two @ c"]);
    expect(plan.nodes.map(({ rank }) => rank)).toEqual([0, 1, 2, 3, 4]);
  });

  test("takes a ref as the edge, through every map", () => {
    const plan = planOf(({ step, groups }) => {
      const one = step("one", { on: groups.nodes, ensure: value() });
      step("two", {
        on: groups.rest,
        ensure: value(one.out.all.value.map((all) => all.join())),
      });
      step("three", { on: groups.rest, ensure: value(one.out.each.value) });
    });
    expect(plan.graph.dependenciesOf("two")).toEqual(["one"]);
    expect(plan.nodes.find(({ step }) => step.label === "two")?.needs).toEqual([
      { step: "one", kind: "data", scope: "all" },
    ]);
    expect(plan.nodes.find(({ step }) => step.label === "three")?.needs).toEqual([
      { step: "one", kind: "data", scope: "each" },
    ]);
  });

  test("calls a per-host ensure for each host, with its entry", () => {
    const plan = planOf(({ step, all }) => {
      step("one", { on: all, ensure: ({ name, address }) => value(`${name} ${address}`) });
    });
    expect(plan.nodes.map(({ work }) => work.params)).toEqual([
      { value: "a 2001:db8::1" },
      { value: "b 2001:db8::2" },
      { value: "c 2001:db8::3" },
    ]);
  });

  test("acts elsewhere under via, on the control machine where that is said", () => {
    const plan = planOf(({ step, groups, control }) => {
      step("one", { on: groups.rest, via: groups.nodes.first, ensure: value() });
      step("two", { on: control, ensure: value() });
    });
    expect(plan.nodes.map(({ host, actsOn }) => `${host.name} on ${actsOn}`)).toEqual([
      "b on a",
      "c on a",
      "localhost on localhost",
    ]);
  });

  test("asks the playbook's question with what it knows", () => {
    const asks = playbook(
      "asks",
      { groups: ["nodes"], confirm: ({ groups }) => `Reset ${groups.nodes.hosts.length} hosts?` },
      () => undefined,
    );
    const plan = makePlan({ playbook: asks, inventory: stage, params: {} });
    expect(plan.question).toBe("Reset 3 hosts?");
  });
});

describe("refused before any connection, with the reason", () => {
  const refused = (declare: (play: AnyPlay) => void, filters?: Filters) =>
    caught(() => planOf(declare, filters));

  test("a group that the inventory lacks, named by the playbook or used in it", () => {
    const needs = playbook("needs", { groups: ["etcd"] }, () => undefined);
    expect(caught(() => makePlan({ playbook: needs, inventory: stage, params: {} }))).toMatchObject(
      { code: "PB_UNKNOWN_GROUP", message: expect.stringContaining('"etcd"') },
    );
    const uses = refused((play) => {
      const { groups } = play as unknown as Play<"etcd", unknown, unknown, unknown>;
      return groups.etcd.first;
    });
    expect(uses).toMatchObject({ code: "PB_UNKNOWN_GROUP" });
    expect(uses.context.at).toMatch(/expand\.test\.ts:\d+$/);
  });

  test("a member that is no host, and a host by an unknown name", () => {
    const wrong = inventoryOf(["a"], { groups: { nodes: ["a", "z"], rest: [] } });
    const any = playbook("any", { groups: ["nodes"] }, () => undefined);
    expect(
      caught(() => makePlan({ playbook: any, inventory: wrong, params: {} })).message,
    ).toContain('its member "z" is no host');
    expect(refused(({ host }) => host("z"))).toMatchObject({ code: "PB_UNKNOWN_HOST" });
  });

  test("a wrong literal, an unknown key and a missing one, though a ref stands beside them", () => {
    const wrong = refused(({ step, groups }) => {
      const one = step("one", { on: groups.nodes.first, ensure: value() });
      step("two", {
        on: groups.rest,
        ensure: setting({ name: 3, value: one.out.value, colour: "red" } as never),
      });
    });
    expect(wrong).toMatchObject({ code: "PB_PARAMS_INVALID", context: { step: "two" } });
    expect(wrong.message).toContain("colour: no such field");
    expect(wrong.message).toContain("name: expected string, received number, got 3");
    expect(wrong.context.at).toMatch(/expand\.test\.ts:\d+$/);
    expect(
      refused(({ step, groups }) => step("one", { on: groups.nodes, ensure: setting({} as never) }))
        .message,
    ).toContain("value: ");
  });

  test("one value of a step that has several hosts", () => {
    const wrong = refused(({ step, groups }) => {
      const many = step("many", { on: groups.nodes, ensure: value() });
      const { out } = many as unknown as StepHandle<{ value: string }, "one">;
      step("reader", { on: groups.rest, ensure: value(out.value) });
    });
    expect(wrong).toMatchObject({ code: "PB_REF_MISUSED" });
    expect(wrong.hint).toContain("out.each.value or out.all.value");
  });

  test("a same-host output where the step is not on that host", () => {
    expect(
      refused(({ step, groups }) => {
        const rest = step("rest", { on: groups.rest, ensure: value() });
        step("all", { on: groups.nodes, ensure: value(rest.out.each.value) });
      }),
    ).toMatchObject({
      code: "PB_REF_NO_HOST",
      message: expect.stringContaining('"all" on a needs the output rest.value'),
    });
  });

  test("steps that wait for each other, with the whole cycle", () => {
    let later: StepHandle<{ value: string }, "many"> | undefined;
    const wrong = refused(({ step, groups }) => {
      const one = step("one", {
        on: groups.nodes,
        ensure: () => (later === undefined ? value() : value(later.out.each.value)),
      });
      const between = step("two", { on: groups.nodes, after: [one], ensure: value() });
      later = step("three", { on: groups.nodes, after: [between], ensure: value() });
    });
    expect(wrong).toMatchObject({
      code: "PB_CYCLE",
      message: "The steps one → two → three → one form a cycle.",
    });
  });

  test("a via without a host, an ensure that is none, a batch that is none, an async build", () => {
    const none = new HostSet<"one">("none", []);
    expect(
      refused(({ step, groups }) => step("a", { on: groups.nodes, via: none, ensure: value() })),
    ).toMatchObject({ code: "PB_STEP_INVALID", message: expect.stringContaining("no host") });
    expect(
      refused(({ step, groups }) =>
        step("a", {
          on: groups.nodes,
          ensure: (host) => (host.name === "b" ? (undefined as never) : value()),
        }),
      ).message,
    ).toContain("gives no module's action for b");
    expect(
      refused(({ step, groups }) =>
        step("a", { on: groups.nodes, rolling: { batch: [1, "200%"] }, ensure: value() }),
      ).message,
    ).toContain('"200%"');
    const gate = { until: settingIs({ value: "1" }), holdFor: "2m", within: "1m" } as const;
    expect(
      refused(({ step, groups }) =>
        step("a", { on: groups.nodes, rolling: { batch: 1, gate }, ensure: value() }),
      ).message,
    ).toMatch(/"a between batches".*could never hold/);
    expect(refused(async () => undefined)).toMatchObject({ code: "PB_PLAYBOOK_INVALID" });
  });

  test("a playbook that throws", () => {
    expect(
      refused(() => {
        throw new RangeError("no such site");
      }),
    ).toMatchObject({
      code: "PB_PLAYBOOK_THREW",
      message: expect.stringContaining("RangeError: no such site"),
    });
  });

  test("a step of another playbook", () => {
    let stranger: StepHandle<unknown, "many"> | undefined;
    planOf(({ step, groups }) => {
      stranger = step("stranger", { on: groups.nodes, ensure: value() });
    });
    expect(
      refused(({ step, groups }) =>
        step("a", { on: groups.nodes, after: [stranger!], ensure: value() }),
      ),
    ).toMatchObject({ code: "PB_UNKNOWN_STEP", message: expect.stringContaining('"stranger"') });
  });

  test("a gate that must hold for longer than it may take", () => {
    expect(
      refused(({ gate, groups }) =>
        gate("g", {
          on: groups.nodes,
          until: settingIs({ value: "1" }),
          holdFor: "2m",
          within: "1m",
        }),
      ).message,
    ).toContain("holdFor");
  });
});

describe("settings and params", () => {
  const inventory = defineInventory({
    hosts: { a: { address: "2001:db8::1", settings: { rack: 1 } }, b: { address: "2001:db8::2" } },
    groups: { nodes: ["a", "b"] },
    settings: { podSubnet: "2001:db8:1::/48" },
  });
  const plan = (options: object, params: Record<string, unknown> = {}) => {
    let seen: Play<"nodes", unknown, unknown, { rack: number }> | undefined;
    const given = playbook("p", options, (play) => {
      seen = play as never;
    });
    makePlan({ playbook: given, inventory, params });
    return seen!;
  };

  test("are parsed, with defaults, for the playbook and for each host", () => {
    const { settings, hosts, params } = plan(
      {
        settings: z.object({ podSubnet: z.string(), mtu: z.number().default(1500) }),
        hostSettings: z.object({ rack: z.number().default(7) }),
        params: z.object({ version: z.string(), retries: z.number(), fast: z.boolean() }),
      },
      { version: "136", retries: "3", fast: "true" },
    );
    expect(settings).toEqual({ podSubnet: "2001:db8:1::/48", mtu: 1500 });
    expect(hosts.map(({ settings: { rack } }) => rack)).toEqual([1, 7]);
    expect(params).toEqual({ version: "136", retries: 3, fast: true });
  });

  test("name path, value and place where they are wrong", () => {
    expect(
      caught(() => plan({ settings: z.object({ podSubnet: z.string().endsWith("/56") }) })).message,
    ).toMatch(/settings\.podSubnet: .*got '2001:db8:1::\/48'/);
    expect(caught(() => plan({ hostSettings: z.object({ rack: z.string() }) })).message).toContain(
      "hosts.a.settings.rack: expected string, received number, got 1",
    );
    expect(caught(() => plan({}, { colour: "red" })).message).toContain("it takes none");
    expect(
      caught(() => plan({ params: z.object({ count: z.number() }) }, { count: "many" })).message,
    ).toContain("count: expected number, received string, got 'many'");
  });
});

describe("--only and --limit", () => {
  const declare = ({ step, groups }: AnyPlay) => {
    const one = step("one", { on: groups.nodes, ensure: value() });
    const two = step("two", { on: groups.nodes.first, after: [each(one)], ensure: value() });
    step("three", { on: groups.rest, ensure: value(two.out.value) });
    step("four", { on: groups.nodes, ensure: value() });
  };

  test("--only takes a step with all that it waits for, and says what it leaves out", () => {
    const plan = planOf(declare, { only: ["two"] });
    expect(plan.steps.map(({ label }) => label)).toEqual(["one", "two"]);
    expect(plan.leftOut).toEqual(["--only: 2 of 4 steps left out (three, four)"]);
  });

  test("--limit keeps hosts and groups, and reads elsewhere only what they need", () => {
    const plan = planOf(declare, { limit: ["c"] });
    expect(plan.nodes.map(({ readOnly, ...node }) => [...named([node]), readOnly])).toEqual([
      ["one @ c", false],
      ["two @ a", true],
      ["three @ c", false],
      ["four @ c", false],
    ]);
    expect(plan.leftOut).toEqual([
      "--limit: 1 of 3 hosts left out (b)",
      "--limit: a only read, as others need what is there",
    ]);
    expect(named(planOf(declare, { limit: ["rest"] }).nodes)).toContain("four @ b");
  });

  test("unknown names are errors that list the known ones", () => {
    expect(caught(() => planOf(declare, { only: ["five"] })).message).toContain("one, two");
    expect(caught(() => planOf(declare, { limit: ["five"] })).message).toContain("nodes, rest");
  });

  test("what selects nothing is an error, not a run of nothing", () => {
    const nothing = expect.objectContaining({ code: "PB_NOTHING_SELECTED" });
    expect(() => planOf(declare, { limit: [] })).toThrow(nothing);
    expect(() => planOf(declare, { only: [] })).toThrow(nothing);
    const empty = ({ step, groups }: AnyPlay) => {
      step("one", { on: groups.nodes.except(groups.nodes), ensure: value() });
    };
    expect(() => planOf(empty)).toThrow(nothing);
    expect(() => planOf(empty, { limit: ["a"] })).toThrow(nothing);
  });
});

describe("what no step, host or inventory has", () => {
  const wrong: Record<string, Record<string, unknown>> = {
    "aftr: no such field": { aftr: [] },
    "retries.times: ": { retries: { times: -1 } },
    "retries.times: expected int": { retries: { times: 1.5 } },
    "retries.delai: no such field": { retries: { times: 1, delai: "1s" } },
    "timeout: expected a duration": { timeout: "5 minutes" },
    "timeout: expected more than nothing": { timeout: "0s" },
    "env.A: ": { env: { A: 1 } },
    "rolling.max: no such field": { rolling: { batch: 1, max: 2 } },
    "after[0]: expected a step": { after: ["one"] },
  };
  test.each(Object.entries(wrong))("is refused of a step with its line: %s", (says, options) => {
    const declare = ({ step, groups }: AnyPlay) => {
      step("one", { on: groups.nodes, ensure: value(), ...options } as never);
    };
    const error = caught(() => planOf(declare));
    expect(error).toMatchObject({ code: "PB_STEP_INVALID" });
    expect(error.message).toContain(says);
    expect(error.context.at).toMatch(/expand\.test\.ts:\d+/);
  });

  const hosts: Record<string, [string, Record<string, object>]> = {
    "a typo": ["prot: no such field", { a: { address: "2001:db8::1", prot: 2222 } }],
    "a password, which is not repeated": [
      "password: no such field",
      { a: { address: "2001:db8::1", password: "hunter2" } },
    ],
    "one host in two spellings": [
      "it is the same host as a",
      { a: { address: "2001:db8::1" }, b: { address: "[2001:DB8:0::1]:22" } },
    ],
  };
  test.each(Object.entries(hosts))("is refused of an inventory: %s", (_, [says, given]) => {
    const inventory = defineInventory({ hosts: given as never, groups: { nodes: [], rest: [] } });
    const plan = () =>
      makePlan({ playbook: playbook("p", {}, () => undefined), inventory, params: {} });
    const error = caught(plan);
    expect(error).toMatchObject({ code: "PB_INVENTORY_INVALID" });
    expect(error.message).toContain(says);
    expect(error.message).not.toContain("hunter2");
  });
});
