import { describe, expect, test } from "vitest";
import type { HostEntry, Inventory } from "#engine/dsl/inventory.ts";
import { type Playbook, playbook } from "#engine/dsl/playbook.ts";
import { combine, secretFrom } from "#engine/dsl/ref.ts";
import { Secret } from "#engine/dsl/secret.ts";
import { differences, type Outline } from "#engine/journal/differences.ts";
import { outlineInventory, outlineSteps } from "#engine/journal/outline.ts";
import { Printer } from "#engine/journal/print.ts";
import { makePlan } from "#engine/plan/expand.ts";
import { type Declare, inventoryOf } from "../../../support/play.ts";
import { password, setting } from "../../../support/settings.ts";

const printer = new Printer(Buffer.alloc(32, 7));

function outline(declare: Declare, inventory: Inventory = inventoryOf(["h1", "h2"])): Outline {
  const declared: Playbook = playbook("test", { groups: [] }, (play) =>
    declare({ ...(play as never as Parameters<Declare>[0]), nodes: play.all }),
  );
  const plan = makePlan({ playbook: declared, inventory, params: {} });
  return {
    engine: "0.1.0",
    sources: { "/ops/test.ts": "1" },
    steps: outlineSteps(plan, printer),
    inventory: outlineInventory(inventory, printer),
  };
}

const plain: Declare = ({ step, nodes }) => {
  step("a", { on: nodes, ensure: setting({ value: "1" }) });
};

const between = (before: Declare, now: Declare) => differences(outline(before), outline(now));

test("what is the same differs in nothing, though it was made anew", () => {
  const declare: Declare = ({ step, nodes, host }) => {
    const a = step("a", { on: host("h1"), ensure: setting({ value: "1" }) });
    step("b", {
      on: nodes,
      when: ({ cpus }) => cpus > 1,
      ensure: setting({ value: a.out.value.map((value) => `${value}!`) }),
    });
    step("c", { on: nodes, ensure: password({ value: secretFrom.env("TOKEN") }) });
    step("d", { on: nodes, ensure: password({ value: new Secret("hunter2") }) });
  };
  expect(between(declare, declare)).toEqual([]);
});

describe("what differs is named", () => {
  test.each<[string, Declare, string[]]>([
    [
      "a step that is new, and one that is gone",
      ({ step, nodes }) => {
        step("b", { on: nodes, ensure: setting({ value: "1" }) });
      },
      ['step "a" is gone', 'step "b" is new'],
    ],
    [
      "a param on all hosts",
      ({ step, nodes }) => {
        step("a", { on: nodes, ensure: setting({ value: "2" }) });
      },
      ['step "a": value differs'],
    ],
    [
      "a param on one host",
      ({ step, nodes }) => {
        step("a", {
          on: nodes,
          ensure: ({ name }) => setting({ value: name === "h2" ? "2" : "1" }),
        });
      },
      ['step "a": value differs on h2'],
    ],
    [
      "a param that is new",
      ({ step, nodes }) => {
        step("a", { on: nodes, ensure: setting({ value: "1", name: "b" }) });
      },
      ['step "a": name differs'],
    ],
    [
      "the hosts of a step",
      ({ step, host }) => {
        step("a", { on: host("h1"), ensure: setting({ value: "1" }) });
      },
      ['step "a": no longer with h2'],
    ],
    [
      "the module",
      ({ step, nodes }) => {
        step("a", { on: nodes, ensure: password({ value: "1" }) });
      },
      ['step "a": setting → password'],
    ],
    [
      "who does it, and when",
      ({ step, nodes }) => {
        step("a", {
          on: nodes,
          as: "nobody",
          timeout: "1h",
          when: () => true,
          ensure: setting({ value: "1" }),
        });
      },
      ['step "a": its when differs', 'step "a": its as differs', 'step "a": its timeout differs'],
    ],
  ])("%s", (_, now, says) => {
    expect(between(plain, now).toSorted()).toEqual(says.toSorted());
  });

  test("an edge, a map's code, a secret's value", () => {
    const declare =
      (mapped: (value: string) => string, secret: string, after: boolean): Declare =>
      ({ step, host }) => {
        const on = host("h1");
        const a = step("a", { on, ensure: setting({ value: "1" }) });
        step("b", {
          on,
          ensure: setting({ value: combine([a.out.value]).map(([value]) => mapped(value ?? "")) }),
          after: after ? [a] : [],
        });
        step("c", { on, ensure: setting({ value: a.out.value.map(mapped) }) });
        step("d", { on, ensure: password({ value: new Secret(secret) }) });
      };
    const before = declare((value) => `${value}a`, "hunter2", false);
    const now = declare((value) => `${value}b`, "hunter3", true);
    expect(between(before, now)).toEqual([
      'step "b": its after differs',
      'step "c": value differs',
      'step "d": value differs',
    ]);
  });

  test("files and the version", () => {
    const before = { ...outline(plain), sources: { "/a.ts": "1", "/b.ts": "1" } };
    const now = { ...outline(plain), engine: "0.2.0", sources: { "/a.ts": "2", "/c.ts": "1" } };
    expect(differences(before, now)).toEqual([
      "run-playbook was 0.1.0, and is 0.2.0",
      "/a.ts was edited",
      "/b.ts is no longer part of it",
      "/c.ts is part of it now",
    ]);
  });

  test("the inventory: hosts, their places and settings, groups", () => {
    const inventory = (
      hosts: Record<string, HostEntry>,
      workers: string[],
      settings: unknown,
    ): Inventory => ({
      kind: "inventory",
      hosts,
      groups: { workers },
      settings,
    });
    const before = inventory(
      { h1: { address: "2001:db8::1" }, h2: { address: "2001:db8::2", settings: { mtu: 1500 } } },
      ["h1", "h2"],
      { pods: "fd00::/48" },
    );
    const now = inventory(
      {
        h2: { address: "2001:db8::22", settings: { mtu: 1280 }, sudoPassword: secretFrom.env("X") },
        h3: { address: "2001:db8::3" },
      },
      ["h2", "h3"],
      { pods: "fd01::/48" },
    );
    const nothing: Declare = () => undefined;
    expect(differences(outline(nothing, before), outline(nothing, now))).toEqual([
      "host h1 is gone from the inventory",
      "host h2: address 2001:db8::2 → 2001:db8::22",
      "host h2: its mtu differs",
      "host h2: its sudoPassword differs",
      "host h3 is new in the inventory",
      "group workers: now with h3",
      "group workers: no longer with h1",
      "settings: pods differs",
    ]);
  });
});

test("values that only print alike are told apart", () => {
  const values = ["1", 1, 1n, ["1"], { 0: "1" }, new Secret("1"), null, true, new Uint8Array([49])];
  const prints = new Set(values.map((value) => printer.of(value)));
  expect(prints.size).toBe(values.length);
  expect(printer.of({ a: 1, b: 2 })).toBe(printer.of({ b: 2, a: 1 }));
  const again: Record<string, unknown> = { a: 1 };
  again["self"] = again;
  expect(printer.of(again)).toMatch(/^[\w-]{22}$/);
});
