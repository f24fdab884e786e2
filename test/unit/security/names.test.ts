import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineInventory, type HostEntry } from "#engine/dsl/inventory.ts";
import { playbook } from "#engine/dsl/playbook.ts";
import { isPlaybookError } from "#engine/errors/error.ts";
import { HostAddr } from "#engine/net/host-addr.ts";
import { makePlan } from "#engine/plan/expand.ts";
import { checkInventory } from "#engine/plan/inventory.ts";
import { openLab } from "#lab/lab.ts";
import { checkHostName, checkLabName } from "#lab/plan/names.ts";
import { caught } from "../../support/caught.ts";
import { hostileText } from "../../support/hostile-text.ts";
import { inventoryOf } from "../../support/play.ts";
import { setting } from "../../support/settings.ts";

/** What a shell, a terminal, a path or an option parser would act on. */
const ACTIVE = /^[-.]|[\s\p{C}$`;&|<>()'"\\*?!#~=/]/u;

const seed = 2026;
const nothing = playbook("nothing", { groups: [] }, () => undefined);

/** Whether a value is let through; what refuses it must be an error of the catalogue. */
function taken(use: () => unknown): boolean {
  try {
    use();
    return true;
  } catch (error) {
    if (isPlaybookError(error)) return false;
    throw error;
  }
}

const inventory = (hosts: Record<string, HostEntry>) =>
  checkInventory(nothing, defineInventory({ hosts, groups: {} }));

describe("no name that a shell, a terminal or a path would act on", () => {
  const entry = { address: "2001:db8::1" };
  const uses: Record<string, (text: string) => unknown> = {
    "is a host of an inventory": (text) => inventory({ [text]: entry }),
    "is an address of an inventory": (text) => inventory({ w1: { address: text } }),
    "is a lab": checkLabName,
    "is a host of a lab": checkHostName,
    "opens a lab": (text) => openLab(text),
  };
  test.each(Object.entries(uses))("%s", (_, use) => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.string({ maxLength: 6 })), (text) => {
        if (taken(() => use(text))) expect(text).not.toMatch(ACTIVE);
      }),
      { seed, numRuns: 2000 },
    );
  });

  test("an address renders itself without a leading dash, white space or control characters", () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.ipV6(), fc.domain()), (text) => {
        if (!taken(() => HostAddr.parse(text))) return;
        const addr = HostAddr.parse(text);
        for (const shown of [addr.ssh(), addr.scp(), addr.url(), addr.hostPort()])
          expect(shown).not.toMatch(/^-|[\s\p{C}$`;&|<>()'"\\*?!#~=/]/u);
      }),
      { seed, numRuns: 2000 },
    );
  });
});

describe("what an inventory cannot say", () => {
  const refusal = (entry: Partial<HostEntry>) =>
    caught(() => inventory({ w1: { address: "2001:db8::1", ...entry } }));
  test.each([
    ["user", "-oProxyCommand=x"],
    ["user", "ops\nroot"],
    ["user", ""],
    ["jump", "-J"],
    ["jump", "a b"],
    ["identityFile", "/key\0"],
    ["knownHostsFile", "/known\nhosts"],
  ] as const)("%s: %j", (field, value) => {
    expect(refusal({ [field]: value })).toMatchObject({ code: "PB_INVENTORY_INVALID" });
  });

  test("an address that is none, told before any connection and with its host", () => {
    expect(refusal({ address: "w1;reboot" })).toMatchObject({
      code: "PB_ADDRESS_INVALID",
      context: { host: "w1" },
    });
  });
});

describe("what a step cannot say", () => {
  const refusal = (options: { as?: string; env?: Record<string, string> }) =>
    caught(() =>
      makePlan({
        playbook: playbook("one step", { groups: ["nodes"] }, ({ step, groups: { nodes } }) => {
          step("one", { on: nodes, ensure: setting({ value: "x" }), ...options });
        }),
        inventory: inventoryOf(["w1"]),
        params: {},
      }),
    );
  test.each(["#0", "-u", "root\n", "a b", "$(id)", ""])("as: %j", (as) => {
    expect(refusal({ as })).toMatchObject({ code: "PB_STEP_INVALID" });
  });
  test.each([
    ["LD PRELOAD", "x"],
    ["A=B", "x"],
    ["1A", "x"],
    ["A", "x\0y"],
  ])("env: %j = %j", (name, value) => {
    expect(refusal({ env: { [name]: value } })).toMatchObject({ code: "PB_STEP_INVALID" });
  });
});
