import type { Facts } from "../host/host.ts";
import type { Duration } from "./duration.ts";
import type { Arity, HostSet } from "./host-set.ts";
import type { HostEntry } from "./inventory.ts";
import type { Action, Condition } from "./module.ts";
import type { Ref } from "./ref.ts";

/** A host as a playbook sees it while it declares: the inventory's entry, nothing read yet. */
export interface PlayHost<HS = unknown> extends HostEntry {
  readonly name: string;
  readonly settings: HS;
}

/** Hosts in batches: sizes are counts or percents of the whole step, the last one repeats ("ramp": [1, "10%", "100%"]). */
export interface Rolling<HS = unknown> {
  readonly batch: number | `${number}%` | readonly (number | `${number}%`)[];
  /**
   * How many hosts of the whole step may fail (unreachable counts) before no further batch starts; 0 unless given.
   * Hosts that were not started are then skipped, with this step named as the reason.
   */
  readonly maxFailed?: number | `${number}%`;
  /**
   * What must hold on every host of a batch, once all of it is done, before the next batch starts. One host on which it
   * does not hold in time stops the roll, whatever maxFailed allows. The last batch is asked, too, and what comes after
   * the step waits for its answer. Where a host was not changed, holding once is enough; where the
   * step did not run, nothing is asked.
   */
  readonly gate?: BatchGate<HS>;
}

/** A gate between the batches of a rolling step, named "STEP between batches" in output. */
export type BatchGate<HS = unknown> = Pick<
  GateOptions<Arity, HS>,
  "until" | "holdFor" | "within" | "every" | "as" | "via"
>;

export interface StepOptions<O, N extends Arity, HS> {
  readonly on: HostSet<N>;
  /** What must be so; a function where it differs by host. */
  readonly ensure: Action<O> | ((host: PlayHost<HS>) => Action<O>);
  /** Edges without data: a step waits for all its hosts, each(step) only for the same host. */
  readonly after?: readonly (AnyStep | Each)[];
  /** Run only when one of these changed something on any host (each(step): on the same host). */
  readonly onChange?: readonly (AnyStep | Each)[];
  /** Run only when one of these failed on any host; or "undo": what this step changed on a host is undone where it fails. */
  readonly onFail?: readonly AnyStep[] | "undo";
  /** Run only where this is true: typed facts of the host, or an output. */
  readonly when?: ((facts: Facts, host: PlayHost<HS>) => boolean) | Ref<boolean>;
  /** For one node, every attempt and every read together; "5m" unless given. */
  readonly timeout?: Duration;
  /** Further attempts after a failure, and the pause before each ("2s" unless given); none unless given. */
  readonly retries?: { readonly times: number; readonly delay?: Duration };
  /** Who does it; "root" unless given. */
  readonly as?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly rolling?: Rolling<HS>;
  /** Act there for each host of `on`: labels of workers are set through a control plane. */
  readonly via?: HostSet<"one">;
}

export interface GateOptions<N extends Arity, HS> {
  readonly on: HostSet<N>;
  readonly until: Condition | ((host: PlayHost<HS>) => Condition);
  /** How long it must hold without a break; "0s" (once) unless given. */
  readonly holdFor?: Duration;
  /** The deadline; a condition that does not hold by then fails the gate with what was last seen. */
  readonly within: Duration;
  /** Between two looks; "1s" unless given. */
  readonly every?: Duration;
  readonly after?: readonly (AnyStep | Each)[];
  readonly when?: ((facts: Facts, host: PlayHost<HS>) => boolean) | Ref<boolean>;
  readonly as?: string;
  readonly via?: HostSet<"one">;
}

type Refs<O> = { readonly [K in keyof O]: Ref<O[K]> };
type AllRefs<O> = { readonly [K in keyof O]: Ref<readonly O[K][]> };

/** A step on one host has its outputs; on several, those of the same host (`each`) or of all, in inventory order. */
export type Outputs<O, N extends Arity> = N extends "one"
  ? Refs<O>
  : { readonly each: Refs<O>; readonly all: AllRefs<O> };

/** What step() gives back: a name for edges, and outputs for params. */
export interface StepHandle<O, N extends Arity> {
  readonly declared: DeclaredStep;
  readonly out: Outputs<O, N>;
}

/** Any step, for edges. */
export interface AnyStep {
  readonly declared: DeclaredStep;
}

/** An edge to the same host only. */
export interface Each {
  readonly each: DeclaredStep;
}

/** @example after: [each(kernel)] waits for `kernel` on the same host, not on all */
export const each = (step: AnyStep): Each => ({ each: step.declared });

export interface DeclaredEdge {
  readonly step: string;
  readonly kind: "after" | "onChange" | "onFail";
  readonly scope: "all" | "each";
}

interface Declared {
  /** Unique; how the step is named in output, --only and errors. */
  readonly label: string;
  /** The names of the phases around it, outermost first. */
  readonly phase: readonly string[];
  readonly at: string;
  readonly on: HostSet;
  readonly via: HostSet | undefined;
  /** Edges without data; those of refs are found in the params. */
  readonly edges: readonly DeclaredEdge[];
  readonly when: ((facts: Facts, host: PlayHost) => boolean) | Ref<boolean> | undefined;
  readonly as: string;
}

export interface DeclaredAction extends Declared {
  readonly kind: "action";
  readonly ensure: (host: PlayHost) => Action;
  readonly timeoutMs: number;
  readonly retries: { readonly times: number; readonly delayMs: number };
  readonly env: Readonly<Record<string, string>>;
  readonly rolling: Rolling | undefined;
  /** Whether what it changed on a host is undone where it fails. */
  readonly undoOnFail: boolean;
  /** The gate between its batches, by label. */
  readonly batchGate: string | undefined;
}

export interface DeclaredGate extends Declared {
  readonly kind: "gate";
  readonly until: (host: PlayHost) => Condition;
  readonly holdForMs: number;
  readonly withinMs: number;
  readonly everyMs: number;
  /** The rolling step between whose batches it stands. */
  readonly between: string | undefined;
}

/** A step as the playbook declared it: data and pure functions. */
export type DeclaredStep = DeclaredAction | DeclaredGate;
