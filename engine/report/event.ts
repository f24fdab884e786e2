import type { ErrorCode } from "../errors/catalog.ts";

/**
 * How a node ended. `would-change`, `unknown` (waits for another step's change) and `cannot-tell` exist only under
 * --check; `unreachable` is a failure of the host, not of the step.
 */
export type Outcome =
  | "ok"
  | "changed"
  | "failed"
  | "skipped"
  | "unreachable"
  | "would-change"
  | "unknown"
  | "cannot-tell";

/** A change as people see it; secrets are masked. */
export interface ShownChange {
  readonly say: string;
  /** For files: both sides as text, for --diff. */
  readonly diff?: {
    readonly path: string;
    readonly before: string | undefined;
    readonly after: string;
  };
}

/** A failure as data: what printing it needs, and nothing that cannot be serialised. */
export interface ShownError {
  readonly code: ErrorCode | "PB_BUG";
  readonly message: string;
  readonly hint: string;
  readonly at?: string;
  readonly step?: string;
  readonly host?: string;
  readonly state?: string;
  readonly output?: readonly string[];
  /** The messages of what caused it, nearest first. */
  readonly causes: readonly string[];
}

export interface Counts {
  readonly ok: number;
  readonly changed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly unreachable: number;
  readonly wouldChange: number;
  readonly unknown: number;
}

/** What a stopped run left undone. */
export interface Left {
  /** In the order of the plan. */
  readonly steps: readonly { readonly step: string; readonly hosts: readonly string[] }[];
  /** Roughly how long just that took last time, in ms; not there where nothing is known of it. */
  readonly lastMs?: number;
}

/** Everything that a run tells, in order. Renderers consume these and nothing else. `at` is ms since the epoch. */
export type RunEvent =
  | {
      readonly type: "run-started";
      readonly at: number;
      readonly id: string;
      readonly playbook: string;
      readonly mode: "apply" | "check";
      /** The steps in order, with the hosts each runs on: the frame of a tree. */
      readonly steps: readonly {
        readonly label: string;
        readonly phase: readonly string[];
        readonly kind: "action" | "gate";
        readonly hosts: readonly string[];
      }[];
      /** What --limit and --only left out, in words; empty when nothing. */
      readonly leftOut: readonly string[];
      /** Where the playbook undoes what fails: what it cannot undo, in words. */
      readonly lasting?: readonly string[];
    }
  | {
      readonly type: "host-connected";
      readonly at: number;
      readonly host: string;
      readonly ms: number;
    }
  | {
      readonly type: "host-unreachable";
      readonly at: number;
      readonly host: string;
      readonly error: ShownError;
    }
  | {
      readonly type: "node-started";
      readonly at: number;
      readonly step: string;
      readonly host: string;
    }
  /** What a waiting node sees: a gate's last observation, the reason of a retry. */
  | {
      readonly type: "node-waiting";
      readonly at: number;
      readonly step: string;
      readonly host: string;
      readonly saw: string;
    }
  /** Under --check what would be done; otherwise what is being done now. */
  | {
      readonly type: "change";
      readonly at: number;
      readonly step: string;
      readonly host: string;
      readonly change: ShownChange;
    }
  | {
      readonly type: "node-finished";
      readonly at: number;
      readonly step: string;
      readonly host: string;
      readonly outcome: Outcome;
      readonly changes: number;
      readonly ms: number;
      /** Why it was skipped or is unknown: names the step or condition. */
      readonly why?: string;
      /** Only root causes carry one; what was skipped because of them does not. */
      readonly error?: ShownError;
    }
  | ({
      readonly type: "recap";
      readonly at: number;
      readonly exitCode: number;
      readonly durationMs: number;
      readonly hosts: Readonly<Record<string, Counts>>;
      /** Where the run was stopped before its end. */
      readonly stopped?: {
        readonly why: "interrupted" | "window-closed";
        /** When the window opens again: ms since the epoch, and in words. */
        readonly opensAt?: number;
        readonly opens?: string;
        readonly left: Left;
      };
    } & Counts);

export type Emit = (event: RunEvent) => void;
