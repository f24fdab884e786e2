import { z } from "zod";
import type { Host } from "../host/host.ts";
import { callsite } from "./callsite.ts";
import type { Change } from "./change.ts";
import type { Refable } from "./ref.ts";

/** What read() must find at least: the outputs; anything where there are none. */
type Found<O extends z.ZodObject> = keyof O["shape"] extends never ? object : z.input<O>;

/**
 * A kind of thing that can be kept in a state. `read` is the only part that touches a host, and only looks; `diff` is
 * pure and yields what is still to be changed. From these two come check mode, diff output, idempotence and test cases.
 */
export interface ModuleSpec<
  P extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
  Now extends Found<O> = Found<O>,
> {
  /** Kebab-case; the folder's name. */
  readonly name: string;
  /** One sentence; the first line of the module's page. */
  readonly summary: string;
  readonly params: P;
  /** The public part of what read found, for other steps. */
  readonly outputs?: O;
  /** A step as a reader would write it, shown on the module's page and type-checked. */
  readonly example?: string;
  read(host: Host, want: z.output<P>): Promise<Now>;
  diff(now: Now, want: z.output<P>): Iterable<Change>;
  /**
   * The changes from `now` back to what was read `before`; pure, and nothing where they are the same. Only what the
   * wish touched is touched. Secrets inside `want` may be empty here. @throws PB_UNDO_LOST where what `before` found is
   * lost once the wish was made so, which is known, and asked, before the first change.
   */
  undo?(before: Now, now: Now, want: z.output<P>): Iterable<Change>;
  /** In place of undo, where it is worth saying: why what was changed stays, as part of a sentence. */
  readonly lasting?: string;
}

/** A condition that can be asked, for gates. Asking never changes the host. */
export interface ProbeSpec<P extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly params: P;
  readonly example?: string;
  check(host: Host, want: z.output<P>): Promise<ProbeAnswer>;
}

/** `saw` is what was observed, in words: progress while a gate waits, and the reason when it gives up. */
export interface ProbeAnswer {
  readonly holds: boolean;
  readonly saw: string;
}

declare const OUTPUTS: unique symbol;

/** A module with its params. */
export interface Action<O = unknown> {
  readonly kind: "action";
  readonly module: ModuleSpec;
  /** As given: refs inside, defaults not yet filled in. */
  readonly params: unknown;
  /** Playbook file:line. */
  readonly at: string;
  readonly [OUTPUTS]?: O;
}

/** A probe with its params. */
export interface Condition {
  readonly kind: "condition";
  readonly probe: ProbeSpec;
  readonly params: unknown;
  readonly at: string;
}

export type Module<P extends z.ZodObject, O extends z.ZodObject> = ((
  params: Refable<z.input<P>>,
) => Action<z.output<O>>) & { readonly spec: ModuleSpec };

export type Probe<P extends z.ZodObject> = ((params: Refable<z.input<P>>) => Condition) & {
  readonly spec: ProbeSpec;
};

/** Declares a module; what comes back is called with params in a step's `ensure`. See docs/writing-a-module.md. */
export function defineModule<
  P extends z.ZodObject,
  O extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Now extends Found<O> = Found<O>,
>(spec: ModuleSpec<P, O, Now>): Module<P, O> {
  const module = spec as ModuleSpec<z.ZodObject, z.ZodObject, z.input<O>>;
  const action = (params: Refable<z.input<P>>): Action<z.output<O>> => ({
    kind: "action",
    module,
    params,
    at: callsite(),
  });
  return Object.assign(action, { spec: module });
}

/** Declares a probe; what comes back is called with params in a gate's `until`. */
export function defineProbe<P extends z.ZodObject>(spec: ProbeSpec<P>): Probe<P> {
  const probe = spec as ProbeSpec;
  const condition = (params: Refable<z.input<P>>): Condition => ({
    kind: "condition",
    probe,
    params,
    at: callsite(),
  });
  return Object.assign(condition, { spec: probe });
}

/** For modules without params of their own. */
export const noParams = z.strictObject({});
