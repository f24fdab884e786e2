import type { HostEntry, Inventory } from "../dsl/inventory.ts";
import type { Action, Condition } from "../dsl/module.ts";
import type { DeclaredStep } from "../dsl/step.ts";
import { specOf } from "../plan/action-params.ts";
import type { Plan, PlanNode } from "../plan/plan.ts";
import type { OutlinedInventory, OutlinedStep } from "./format.ts";
import { type Printer, printFields } from "./print.ts";

/** A plan without its values: enough to say what differs in a later one, step by step. */
export function outlineSteps({ steps, nodes }: Plan, printer: Printer): OutlinedStep[] {
  const prints = new WeakMap<Action | Condition, Record<string, string>>();
  const printsOf = ({ work }: PlanNode) => {
    const known = prints.get(work) ?? printFields(work.params, printer);
    prints.set(work, known);
    return known;
  };
  const nodesOf = Map.groupBy(nodes, ({ step }) => step.label);
  return steps.map((step) => {
    const on = nodesOf.get(step.label) ?? [];
    const [first] = on;
    return {
      step: step.label,
      kind: step.kind,
      module: first === undefined ? "" : specOf(first.work).name,
      hosts: on.filter(({ readOnly }) => !readOnly).map(({ host }) => host.name),
      onChange: (first?.needs ?? [])
        .filter(({ kind }) => kind === "onChange")
        .map((need) => ({ step: need.step, scope: need.scope })),
      options: printFields(optionsOf(step), printer),
      params: byHost(on.map((node) => [node.host.name, printsOf(node)])),
    };
  });
}

/** An inventory, and what its settings are recognised by. */
export function outlineInventory(inventory: Inventory, printer: Printer): OutlinedInventory {
  return {
    hosts: Object.fromEntries(
      Object.entries(inventory.hosts).map(([name, host]) => [name, outlineHost(host, printer)]),
    ),
    groups: Object.fromEntries(
      Object.entries(inventory.groups).map(([name, members]) => [name, [...members]]),
    ),
    settings: printFields(inventory.settings, printer),
  };
}

function outlineHost({ settings, sudoPassword, ...place }: HostEntry, printer: Printer) {
  const said = Object.entries(place).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
  return {
    place: Object.fromEntries(said),
    settings: {
      ...printFields(settings, printer),
      ...(sudoPassword === undefined ? {} : { sudoPassword: printer.of(sudoPassword) }),
    },
  };
}

/** What a step says besides its hosts and its params. */
function optionsOf(step: DeclaredStep): Record<string, unknown> {
  const edges = Map.groupBy(step.edges, ({ kind }) => kind);
  const { when, as, via } = step;
  const shared = { ...Object.fromEntries(edges), when, as, via: via?.hosts };
  if (step.kind === "gate") {
    const { holdForMs: holdFor, withinMs: within, everyMs: every } = step;
    return { ...shared, holdFor, within, every };
  }
  const { timeoutMs: timeout, retries, env, rolling } = step;
  return { ...shared, timeout, retries, env, rolling };
}

type Prints = Readonly<Record<string, string>>;

/** Turns prints by host into prints by param: one where all hosts have the same. */
function byHost(all: readonly (readonly [host: string, prints: Prints])[]): OutlinedStep["params"] {
  const names = new Set(all.flatMap(([, prints]) => Object.keys(prints)));
  return Object.fromEntries(
    Array.from(names, (name) => {
      const values = new Set(all.map(([, prints]) => prints[name]));
      const [only] = values;
      if (values.size === 1 && only !== undefined) return [name, only];
      const given = all.flatMap(([host, { [name]: print }]) =>
        print === undefined ? [] : [[host, print] as const],
      );
      return [name, Object.fromEntries(given)];
    }),
  );
}
