import { z } from "zod";
import type { ErrorCode } from "../errors/catalog.ts";
import type { Outcome } from "../report/event.ts";

/**
 * A journal is a file of lines, each one of these entries as JSON, in the order in which things happened; the first is
 * `begun`. Only ever appended to. Raised when a reader of the old form would misread the new one.
 */
export const FORMAT = 1;

/** Milliseconds since the epoch. */
const At = z.int().nonnegative();

/** A value that can be recognised and not read: keyed with the run's own key, as low passwords would be guessed. */
const Print = z.string();

/** One step on one host. */
const node = { step: z.string(), host: z.string() };
const Node = z.object(node);

/** A change that was begun, and of which nobody knows whether it was made. */
const Doubt = z.object({
  ...node,
  at: At,
  say: z.string(),
  /** Until when the host may still be busy with it by itself: a guarded change that rolls back, a reboot. */
  until: At.optional(),
});

/** A process that no other one can be taken for: its number, and when it started. */
const Process = z.object({ pid: z.int().positive(), started: z.string() });

/** One step of the plan, so that what differs in another one can be named. */
const OutlinedStep = z.object({
  step: z.string(),
  kind: z.enum(["action", "gate"]),
  /** The module's or the probe's name. */
  module: z.string(),
  hosts: z.array(z.string()),
  /** The steps whose change sets this one off: on any host, or (each) on the same. */
  onChange: z.array(z.object({ step: z.string(), scope: z.enum(["one", "all", "each"]) })),
  /** What else the step says: after, when, as, rolling… */
  options: z.record(z.string(), Print),
  /** By param: one print where it is the same on all hosts, else one a host. */
  params: z.record(z.string(), z.union([Print, z.record(z.string(), Print)])),
});

/** What an inventory said: places as they are, settings as prints. */
const OutlinedInventory = z.object({
  hosts: z.record(
    z.string(),
    z.object({
      /** Address, user, port… */
      place: z.record(z.string(), z.string()),
      settings: z.record(z.string(), Print),
    }),
  ),
  groups: z.record(z.string(), z.array(z.string())),
  settings: z.record(z.string(), Print),
});

/** How the run was asked for: what it takes to ask for it again. Values of secret params are never kept. */
const Asked = z.object({
  /** The word given for the playbook. */
  playbook: z.string(),
  cwd: z.string(),
  inventory: z.string().exactOptional(),
  lab: z.union([z.literal(true), z.string()]).exactOptional(),
  limit: z.array(z.string()).exactOptional(),
  only: z.array(z.string()).exactOptional(),
  forks: z.int().positive().exactOptional(),
  params: z.record(z.string(), z.string()),
  secretParams: z.array(z.string()),
});

const Begun = z.object({
  type: z.literal("begun"),
  format: z.literal(FORMAT),
  at: At,
  run: z.string(),
  /** The run that this one goes on with. */
  resumes: z.string().optional(),
  /** The version of run-playbook. */
  engine: z.string(),
  /** Its name. */
  playbook: z.string(),
  /** SHA-256 of the files that it was loaded from, inventory included, by absolute path. */
  sources: z.record(z.string(), z.string()),
  steps: z.array(OutlinedStep),
  inventory: OutlinedInventory,
  asked: Asked,
  by: Process.extend({
    user: z.string(),
    /** Who became that user. */
    sudoUser: z.string().optional(),
    machine: z.string(),
    /** Where the operator was logged in from. */
    from: z.string().optional(),
  }),
  /** Left over from the runs before this one: nodes that a change there set off, and changes in doubt. */
  owed: z.array(Node),
  doubts: z.array(Doubt),
});

/** A node began. */
const Started = z.object({ type: z.literal("started"), at: At, ...node });

/** What was found: the changes that are wanted, in words; none where nothing differs. Once for each attempt. */
const Found = z.object({ type: z.literal("found"), at: At, ...node, changes: z.array(z.string()) });

/** A change is about to be made, the `index`th of its attempt from 0. On disk before it begins. */
const Intent = z.object({
  type: z.literal("intent"),
  at: At,
  ...node,
  index: z.int().nonnegative(),
  op: z.string(),
  say: z.string(),
  until: At.optional(),
  /** One change back, of a node that failed and is undone. */
  undo: z.literal(true).exactOptional(),
});

/** It was made. */
const Done = z.object({ type: z.literal("done"), at: At, ...node, index: z.int().nonnegative() });

/** How a node ended. */
const Ended = z.object({
  type: z.literal("ended"),
  at: At,
  ...node,
  outcome: z.custom<Outcome>((value) => typeof value === "string"),
  changes: z.int().nonnegative(),
  /** From its start; 0 where it never started. */
  ms: z.number().nonnegative(),
  why: z.string().optional(),
  /** The failure because of which it did not come to its goal: its own, or another node's. */
  root: z.string().optional(),
  code: z.custom<ErrorCode | "PB_BUG">((value) => typeof value === "string").optional(),
  message: z.string().optional(),
  /** It failed, and the host is again as it was found. */
  undone: z.literal(true).exactOptional(),
});

/** The run was asked to stop at the next safe point. */
const Stopping = z.object({ type: z.literal("stopping"), at: At, why: z.string() });

/** The run came to an end of its own. A journal without is of a run that is on, or was killed. */
const Over = z.object({
  type: z.literal("over"),
  at: At,
  exitCode: z.int(),
  ms: z.number().nonnegative(),
  /** How many nodes ended how. */
  counts: z.record(z.string(), z.int().nonnegative()),
});

export const Entry = z.discriminatedUnion("type", [
  Begun,
  Started,
  Found,
  Intent,
  Done,
  Ended,
  Stopping,
  Over,
]);

export type Entry = z.output<typeof Entry>;
export type EntryOf<T extends Entry["type"]> = Extract<Entry, { type: T }>;
export type Begun = EntryOf<"begun">;
export type OutlinedStep = z.output<typeof OutlinedStep>;
export type OutlinedInventory = z.output<typeof OutlinedInventory>;
export type Asked = z.output<typeof Asked>;
export type Doubt = z.output<typeof Doubt>;
export type NodeName = z.output<typeof Node>;
