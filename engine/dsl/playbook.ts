import type { z } from "zod";
import { callsite } from "./callsite.ts";
import type { Arity, HostSet } from "./host-set.ts";
import type { Inventory } from "./inventory.ts";
import type { AnyStep, GateOptions, PlayHost, StepHandle, StepOptions } from "./step.ts";
import type { WindowOptions } from "./window.ts";

/** What a playbook builds its steps from. */
export interface Play<G extends string, P, S, HS> {
  /** Declares a step: on these hosts, ensure this. */
  step<O, N extends Arity>(label: string, options: StepOptions<O, N, HS>): StepHandle<O, N>;
  /** Declares a condition that must hold before what comes after it. */
  gate<N extends Arity>(label: string, options: GateOptions<N, HS>): AnyStep;
  /** Names the steps declared inside, in output and reports; adds no edge. */
  phase<T>(label: string, declare: () => T): T;
  readonly groups: { readonly [K in G]: HostSet<"many"> };
  /** Every host of the inventory. */
  readonly all: HostSet<"many">;
  /** The control machine itself. */
  readonly control: HostSet<"one">;
  /** One host by name. */
  host(name: string): HostSet<"one">;
  /** The inventory's entries in order, for values that name other hosts (peers, hosts files). */
  readonly hosts: readonly PlayHost<HS>[];
  readonly params: P;
  readonly settings: S;
}

export interface PlaybookOptions<
  G extends string,
  P extends z.ZodObject,
  S extends z.ZodType,
  HS extends z.ZodType,
> {
  /** One sentence for --help and reports. */
  readonly summary?: string;
  /** Used where neither --inventory nor --lab says otherwise. */
  readonly inventory?: Inventory<G>;
  /** Groups that any inventory given must have; those of `inventory` unless given. */
  readonly groups?: readonly G[];
  /** Typed `--param name=value`. */
  readonly params?: P;
  /** Checks and types the inventory's `settings`. */
  readonly settings?: S;
  /** Checks and types each host's `settings`. */
  readonly hostSettings?: HS;
  /** When it may change anything; always, unless given. `--window` goes before it, `--check` does not ask for it. */
  readonly window?: WindowOptions;
  /** A question that the operator answers before anything is touched; `--yes` answers it. */
  readonly confirm?: string | ((play: Play<G, z.output<P>, z.output<S>, z.output<HS>>) => string);
}

/** A playbook as its file exports it: what it needs of an inventory, and how it declares its steps. */
export interface Playbook {
  readonly kind: "playbook";
  readonly name: string;
  readonly at: string;
  readonly options: PlaybookOptions<string, z.ZodObject, z.ZodType, z.ZodType>;
  readonly build: (play: Play<string, unknown, unknown, unknown>) => void;
}

/**
 * Declares one phase of work. Nothing runs here: `build` is pure, and called once the inventory and the params are
 * known and checked.
 *
 * @example
 * export default playbook("kernel", { inventory: lab }, ({ step, groups }) => {
 *   step("forwarding", { on: groups.workers, ensure: use.sysctl({ values: { "net.ipv6.conf.all.forwarding": 1 } }) });
 * });
 */
export function playbook<
  const G extends string,
  P extends z.ZodObject = z.ZodObject<Record<never, never>>,
  S extends z.ZodType = z.ZodUnknown,
  HS extends z.ZodType = z.ZodUnknown,
>(
  name: string,
  options: PlaybookOptions<G, P, S, HS>,
  build: (play: Play<G, z.output<P>, z.output<S>, z.output<HS>>) => void,
): Playbook {
  return {
    kind: "playbook",
    name,
    at: callsite(),
    // The engine checks groups, params and settings before it calls build, which is what makes these types true.
    options: options as Playbook["options"],
    build: build as Playbook["build"],
  };
}
