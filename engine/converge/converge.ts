import type { Change } from "../dsl/change.ts";
import type { ModuleSpec } from "../dsl/module.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import type { ShownChange } from "../report/event.ts";
import { applyChange } from "./apply.ts";
import { hostFor } from "./host.ts";
import { inModule } from "./module-fault.ts";
import type { Applying } from "./reached.ts";
import { showChange } from "./shown-change.ts";

/** One module's wish for one host. */
export interface Wish extends Applying {
  readonly step: string;
  readonly module: ModuleSpec;
  /** Params, parsed. */
  readonly want: Record<string, unknown>;
  /** "check" stops before the first change. */
  readonly mode: "apply" | "check";
  /** Hears of each change before it is made: what it says, and the files that a guarded one goes on to change. */
  readonly tell: (shown: readonly ShownChange[]) => void;
  readonly hear: Hearing;
  /** What a look ahead saw, in place of the first look. */
  readonly seen?: Seen;
}

/** What a look at a host gave: what is there, and what is to be changed because of it. */
export interface Seen {
  readonly now: unknown;
  readonly changes: readonly Change[];
}

/** Who is waited for at each point of a convergence; a rejection ends it there. */
export interface Hearing {
  /** After the first read, whatever it found. */
  found(now: unknown, changes: readonly Change[]): Promise<void>;
  /** Before a change, counted from 0, and once it was made. */
  changing(index: number, change: Change): Promise<void>;
  changed(index: number): Promise<void>;
}

/** How a host took a wish. */
export interface Converged {
  readonly outcome: "ok" | "changed" | "would-change";
  readonly changes: number;
  /** The public part of what was read last. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/**
 * Reads, finds what differs, changes only that, and reads again: nothing may differ then. A host on which nothing
 * differs is read once.
 */
export async function converge(wish: Wish): Promise<Converged> {
  const { now, changes } = wish.seen ?? (await look(wish));
  await wish.hear.found(now, changes);
  if (changes.length === 0) return done("ok", changes, await outputsOf(wish, now));
  if (wish.mode === "check") {
    for (const change of changes) wish.tell(showChange(change));
    return done("would-change", changes, {});
  }
  await applyAll(wish, changes);
  const after = await look(wish).catch(
    adding({ state: `every change on ${wish.on.name} was made` }),
  );
  if (after.changes.length > 0) throw notConverged(wish, after.changes);
  return done("changed", changes, await outputsOf(wish, after.now));
}

const done = (
  outcome: Converged["outcome"],
  changes: readonly Change[],
  outputs: Converged["outputs"],
): Converged => ({ outcome, changes: changes.length, outputs });

/** Reads, and finds what differs. Nothing is changed by it. */
export async function look({
  module,
  want,
  on,
  manner,
}: Pick<Wish, "module" | "want" | "on" | "manner">): Promise<Seen> {
  const now = await inModule(module.name, "read()", () => module.read(hostFor(on, manner), want));
  const changes = await inModule(module.name, "diff()", () => [...module.diff(now, want)]);
  return { now, changes };
}

async function applyAll(wish: Wish, changes: readonly Change[]): Promise<void> {
  for (const [made, change] of changes.entries()) {
    await wish.hear.changing(made, change);
    wish.tell(showChange(change));
    const so = { made, of: changes.length, host: wish.on.name };
    await inModule(wish.module.name, "a change", () => applyChange(change, wish)).catch(
      (error: unknown) => adding({ state: stateAfter(error, so) })(error),
    );
    await wish.hear.changed(made);
  }
}

interface SoFar {
  /** How many changes were made before this one. */
  readonly made: number;
  readonly of: number;
  readonly host: string;
}

function stateAfter(error: unknown, { made, of, host }: SoFar): string {
  const before = `${made} of ${of} changes on ${host} were applied`;
  // Nobody is left to say how far it came: the host may go on with it.
  if (isPlaybookError(error) && error.code === "PB_CONNECTION_LOST")
    return `${made === 0 ? "a" : `${before}; a further`} change was under way and is in doubt; running again reads it first`;
  if (made === 0) return `nothing was changed on ${host} before that; running again is safe`;
  return `${before}; running again is safe`;
}

const adding =
  (context: { state: string }) =>
  (error: unknown): never => {
    throw isPlaybookError(error) ? error.with(context) : error;
  };

function notConverged({ step, on }: Wish, left: readonly Change[]) {
  const why = left.flatMap(showChange).map(({ say }) => say);
  const shown = why.length <= 3 ? why : [...why.slice(0, 3), `and ${why.length - 3} more`];
  return new PlaybookError("PB_NOT_CONVERGED", [step, on.name, shown.join("; ")], {
    state: `every change on ${on.name} was made, and these are still wanted`,
  });
}

async function outputsOf({ module }: Wish, now: unknown): Promise<Converged["outputs"]> {
  const { outputs } = module;
  if (outputs === undefined) return {};
  return inModule(module.name, "its outputs", () => outputs.parse(now));
}
