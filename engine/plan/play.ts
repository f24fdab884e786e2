import { callsite, placeOf } from "../dsl/callsite.ts";
import { Declarations } from "../dsl/declare.ts";
import { CONTROL, HostSet } from "../dsl/host-set.ts";
import type { Inventory } from "../dsl/inventory.ts";
import type { Play, Playbook } from "../dsl/playbook.ts";
import type { DeclaredStep, PlayHost } from "../dsl/step.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { type CheckedInventory, checkInventory } from "./inventory.ts";
import { parsePlaybookParams } from "./playbook-params.ts";
import { checkGate, checkStep } from "./step-options.ts";

/** What a playbook declared for an inventory. */
export interface Declared {
  readonly steps: readonly DeclaredStep[];
  /** Every host that a step can be on: the inventory's, and the control machine. */
  readonly hosts: readonly PlayHost[];
  readonly question: string | undefined;
}

/** What a playbook is asked with. */
export interface PlayInput {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  /** `--param name=value`, or typed values. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** Checks inventory and params, then lets the playbook declare its steps. */
export function declare({ playbook, inventory, params }: PlayInput): Declared {
  checkOptions(playbook);
  const checked = checkInventory(playbook, inventory);
  const declarations = new Declarations([...checked.hosts, checked.control]);
  const play: Play<string, unknown, unknown, unknown> = {
    step: (label, options) => {
      checkStep(label, options);
      return declarations.step(label, options);
    },
    gate: (label, options) => {
      checkGate(label, options);
      return declarations.gate(label, options);
    },
    phase: (label, inside) => declarations.phase(label, inside),
    ...hostSets(checked, inventory),
    hosts: checked.hosts,
    params: parsePlaybookParams(playbook, params),
    settings: checked.settings,
  };
  const question = build(playbook, play);
  return { steps: declarations.steps, hosts: [...checked.hosts, checked.control], question };
}

const OPTIONS = [
  ...["summary", "inventory", "groups", "params", "settings"],
  ...["hostSettings", "window", "confirm"],
];

function checkOptions({ options, at }: Playbook): void {
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined)
    throw new PlaybookError("PB_PLAYBOOK_INVALID", [at, `it has no option "${unknown}"`], { at });
}

function build(
  { at, options: { confirm }, build }: Playbook,
  play: Play<string, unknown, unknown, unknown>,
): string | undefined {
  const returned: unknown = playbookCode(at, () => build(play));
  if (returned instanceof Promise) {
    // How it would have ended is beside the point, and nobody else hears of it.
    returned.catch(() => undefined);
    throw new PlaybookError("PB_PLAYBOOK_INVALID", [at, "its build function is async"], { at });
  }
  // Nothing typed is lost: the playbook's own types were erased when it was declared.
  return typeof confirm === "function" ? playbookCode(at, () => confirm(play as never)) : confirm;
}

/** Calls a function of the playbook: what it throws is the playbook's mistake, and says where. */
export function playbookCode<T>(at: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (isPlaybookError(error)) throw error.with({ at: placeOf(error) ?? at });
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new PlaybookError("PB_PLAYBOOK_THREW", [at, why], { at }, { cause: error });
  }
}

function hostSets({ hosts }: CheckedInventory, inventory: Inventory) {
  const names = hosts.map(({ name }) => name);
  const groups = Object.fromEntries(
    Object.entries(inventory.groups).map(([group, members]) => [
      group,
      new HostSet<"many">(
        group,
        names.filter((name) => members.includes(name)),
      ),
    ]),
  );
  return {
    groups: namingUnknownGroups(groups),
    all: new HostSet<"many">("all", names),
    control: new HostSet<"one">(CONTROL, [CONTROL]),
    host: (name: string) => {
      if (!names.includes(name))
        throw new PlaybookError("PB_UNKNOWN_HOST", [name, names], { at: callsite() });
      return new HostSet<"one">(name, [name]);
    },
  };
}

// The compiler refuses an unknown group; a playbook that never met the compiler gets an error as good.
const namingUnknownGroups = (groups: Record<string, HostSet<"many">>) =>
  new Proxy(groups, {
    get(target, name) {
      if (typeof name === "symbol" || name in target || name === "toJSON")
        return Reflect.get(target, name);
      throw new PlaybookError("PB_UNKNOWN_GROUP", [name, Object.keys(target)], { at: callsite() });
    },
  });
