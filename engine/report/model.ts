import type { Outcome, RunEvent, ShownChange, ShownError } from "./event.ts";

type Started = Extract<RunEvent, { type: "run-started" }>;
type Finished = Extract<RunEvent, { type: "node-finished" }>;
type Recap = Extract<RunEvent, { type: "recap" }>;

/** A host at work: since when, and what it was last seen doing or waiting for. */
interface Running {
  readonly since: number;
  saw?: string;
}

/** How far one step is on its hosts. */
export interface StepProgress {
  readonly label: string;
  /** The names of the phases around it, joined; empty where there is none. */
  readonly phase: string;
  readonly hosts: readonly string[];
  readonly running: Map<string, Running>;
  /** Hosts by how they ended, in the order in which they did. */
  readonly ended: Map<Outcome, string[]>;
  /** How many ended. */
  done: number;
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** Why hosts were skipped or are unknown; the first reason stands for all. */
  why: string | undefined;
}

/** One change on one host, in the order in which it happened. */
export interface HostChange {
  readonly step: string;
  readonly host: string;
  readonly change: ShownChange;
}

/** Which changes are kept to the end: files are long, and two hundred hosts have many. */
type Keep = "none" | "words" | "all";

/** What a run has told so far, for renderers that show more than the last event. */
export class RunModel {
  started: Started | undefined;
  recap: Recap | undefined;
  readonly steps = new Map<string, StepProgress>();
  readonly changes: HostChange[] = [];
  /** Root causes, each once. */
  readonly errors: ShownError[] = [];
  /** By "step\0host". */
  readonly errorOf = new Map<string, ShownError>();
  readonly #keep: Keep;
  /** Hosts that cannot be reached, each with the reason; told once for the run, not again for each step. */
  readonly unreachable = new Map<string, ShownError>();
  connected = 0;

  constructor(keep: Keep = "none") {
    this.#keep = keep;
  }

  apply(event: RunEvent): void {
    switch (event.type) {
      case "run-started":
        this.started = event;
        for (const { label, phase, hosts } of event.steps)
          this.steps.set(label, blank(label, phase.join(" › "), hosts));
        return;
      case "host-connected":
        this.connected += 1;
        return;
      case "host-unreachable":
        this.unreachable.set(event.host, event.error);
        this.#note(event.error, event.host);
        return;
      case "node-started": {
        const step = this.step(event.step);
        step.startedAt ??= event.at;
        step.running.set(event.host, { since: event.at });
        return;
      }
      case "node-waiting": {
        const node = this.step(event.step).running.get(event.host);
        if (node !== undefined) node.saw = event.saw;
        return;
      }
      case "change":
        this.#change(event);
        return;
      case "node-finished":
        this.#finish(event);
        return;
      case "recap":
        this.recap = event;
        return;
    }
  }

  /** What belongs to hosts, in the order of the plan: which of them ended first is chance. */
  inOrder<T extends { readonly host?: string }>(items: readonly T[]): T[] {
    const all = [...new Set(this.started?.steps.flatMap((step) => step.hosts))];
    const ranks = new Map(all.map((host, index) => [host, index]));
    const rank = ({ host }: T) => ranks.get(host ?? "") ?? -1;
    return items.toSorted((one, other) => rank(one) - rank(other));
  }

  step(label: string): StepProgress {
    const known = this.steps.get(label);
    if (known !== undefined) return known;
    const unannounced = blank(label, "", []);
    this.steps.set(label, unannounced);
    return unannounced;
  }

  #change({ step, host, change }: HostChange): void {
    const node = this.step(step).running.get(host);
    if (node !== undefined) node.saw = change.say;
    if (this.#keep === "none") return;
    this.changes.push({ step, host, change: this.#keep === "all" ? change : { say: change.say } });
  }

  #finish(event: Finished): void {
    const step = this.step(event.step);
    step.running.delete(event.host);
    step.done += 1;
    step.startedAt ??= event.at - event.ms;
    if (step.done >= step.hosts.length) step.endedAt = event.at;
    step.why ??= event.why;
    const hosts = step.ended.get(event.outcome);
    if (hosts === undefined) step.ended.set(event.outcome, [event.host]);
    else hosts.push(event.host);
    if (event.error === undefined) return;
    if (event.outcome === "unreachable" && !this.unreachable.has(event.host))
      this.unreachable.set(event.host, event.error);
    this.errorOf.set(`${event.step}\0${event.host}`, event.error);
    this.#note(event.error, event.host);
  }

  // An unreachable host is told of once as a host and once for each of its nodes: it is one failure.
  #note(error: ShownError, host: string): void {
    const same = (other: ShownError) =>
      other.code === error.code && other.message === error.message && other.host === host;
    if (!this.errors.some(same)) this.errors.push({ host, ...error });
  }
}

const blank = (label: string, phase: string, hosts: readonly string[]): StepProgress => ({
  label,
  phase,
  hosts,
  running: new Map(),
  ended: new Map(),
  done: 0,
  startedAt: undefined,
  endedAt: undefined,
  why: undefined,
});

/** How many hosts of a step ended so. */
export const ended = (step: StepProgress, outcome: Outcome): number =>
  step.ended.get(outcome)?.length ?? 0;

/** Whether every host of a step ended. */
export const isDone = (step: StepProgress): boolean => step.done >= step.hosts.length;

/** Whether the step failed on a host. An unreachable host is a failure of the host, not of its steps. */
export const hasFailed = (step: StepProgress): boolean => ended(step, "failed") > 0;

/** Whether a step ended with nothing that anybody needs to know. */
export const isQuiet = (step: StepProgress): boolean =>
  ended(step, "ok") + ended(step, "skipped") + ended(step, "unreachable") === step.done;
