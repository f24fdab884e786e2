import { PlaybookError } from "../errors/error.ts";
import { callsite } from "./callsite.ts";
import { toMs } from "./duration.ts";
import type { Arity, HostSet } from "./host-set.ts";
import type { Action, Condition } from "./module.ts";
import { Ref, type RefScope } from "./ref.ts";
import type {
  AnyStep,
  BatchGate,
  DeclaredAction,
  DeclaredEdge,
  DeclaredStep,
  Each,
  GateOptions,
  Outputs,
  PlayHost,
  Rolling,
  StepHandle,
  StepOptions,
} from "./step.ts";

/** Collects what a playbook declares, in order. */
export class Declarations {
  readonly steps: DeclaredStep[] = [];
  readonly #hosts: readonly PlayHost[];
  #phase: readonly string[] = [];

  /** `hosts` are the inventory's, at least one: they are what a per-host `ensure` is called with. */
  constructor(hosts: readonly PlayHost[]) {
    this.#hosts = hosts;
  }

  phase<T>(label: string, declare: () => T): T {
    const outer = this.#phase;
    this.#phase = [...outer, label];
    try {
      return declare();
    } finally {
      this.#phase = outer;
    }
  }

  step<O, N extends Arity, HS>(label: string, options: StepOptions<O, N, HS>): StepHandle<O, N> {
    const { retries, rolling } = options;
    const ensure = (
      typeof options.ensure === "function" ? options.ensure : () => options.ensure
    ) as (host: PlayHost) => Action;
    const declared = this.#add({
      kind: "action",
      ...this.#common(label, options),
      ensure,
      timeoutMs: toMs(options.timeout ?? "5m"),
      retries: { times: retries?.times ?? 0, delayMs: toMs(retries?.delay ?? "2s") },
      env: options.env ?? {},
      rolling: rolling as Rolling | undefined,
      batchGate: rolling?.gate && betweenBatches(label),
      undoOnFail: options.onFail === "undo",
    });
    if (rolling?.gate !== undefined) this.#addBatchGate(declared, rolling.gate);
    const example =
      this.#hosts.find(({ name }) => options.on.hosts.includes(name)) ?? this.#hosts[0];
    if (example === undefined) throw new PlaybookError("PB_INVENTORY_INVALID", ["", "no hosts"]);
    return { declared, out: outputs<O, N>(label, ensure(example)) };
  }

  gate<N extends Arity, HS>(label: string, options: GateOptions<N, HS>): AnyStep {
    const declared = this.#add({
      kind: "gate",
      ...this.#common(label, options),
      ...asked(options),
      between: undefined,
    });
    return { declared };
  }

  // A step of its own, so that it has an end of its own on each host, with what was seen there.
  #addBatchGate<HS>(step: DeclaredAction, gate: BatchGate<HS>): void {
    const { label, phase, at, on, when } = step;
    this.#add({
      kind: "gate",
      label: betweenBatches(label),
      phase,
      at,
      on,
      when,
      via: gate.via,
      edges: [],
      as: gate.as ?? "root",
      ...asked(gate),
      between: label,
    });
  }

  #common<HS>(label: string, options: StepOptions<unknown, Arity, HS> | GateOptions<Arity, HS>) {
    const { on, via, when, as = "root", after = [] } = options;
    const onChange = "onChange" in options ? (options.onChange ?? []) : [];
    const given = "onFail" in options ? options.onFail : undefined;
    const onFail = given === "undo" ? [] : (given ?? []);
    return {
      label,
      phase: this.#phase,
      at: callsite(),
      on: on as HostSet,
      via: via as HostSet | undefined,
      edges: [
        ...after.map((edge) => toEdge("after", edge)),
        ...onChange.map((edge) => toEdge("onChange", edge)),
        ...onFail.map((edge) => toEdge("onFail", edge)),
      ],
      when: when as DeclaredStep["when"],
      as,
    };
  }

  #add<S extends DeclaredStep>(step: S): S {
    if (this.steps.some(({ label }) => label === step.label))
      throw new PlaybookError("PB_DUPLICATE_STEP", [step.label], { at: step.at });
    this.steps.push(step);
    return step;
  }
}

const betweenBatches = (label: string): string => `${label} between batches`;

/** What is asked at a gate, and for how long. */
const asked = <HS>({ until, holdFor = "0s", within, every = "1s" }: BatchGate<HS>) => ({
  until: (typeof until === "function" ? until : () => until) as (host: PlayHost) => Condition,
  holdForMs: toMs(holdFor),
  withinMs: toMs(within),
  everyMs: toMs(every),
});

const toEdge = (kind: DeclaredEdge["kind"], edge: AnyStep | Each): DeclaredEdge =>
  "each" in edge
    ? { kind, scope: "each", step: edge.each.label }
    : { kind, scope: "all", step: edge.declared.label };

// A schema's keys are known before anything ran, so outputs are plain objects: no Proxy, and a typo does not compile.
function outputs<O, N extends Arity>(label: string, { module }: Action): Outputs<O, N> {
  const fields = Object.keys(module.outputs?.shape ?? {});
  const refs = (scope: RefScope) =>
    Object.fromEntries(
      fields.map((field) => [field, new Ref({ kind: "output", step: label, field, scope })]),
    );
  // One object serves both arities; the type shows only the half that fits.
  return { ...refs("one"), each: refs("each"), all: refs("all") } as Outputs<O, N>;
}
