import { z } from "zod";

/** Who holds a host: written on it when the lock is taken, read by whoever finds it taken. */
export interface Owner {
  /** The run's id. */
  readonly run: string;
  readonly user: string;
  /** The control machine. */
  readonly machine: string;
  /** Ms since the epoch, by the control machine's clock. */
  readonly since: number;
}

/** What a host says of its lock. */
export interface LockState {
  readonly held: boolean;
  /** Whether a guarded change there is not over yet: nobody else gets the lock until it is. */
  readonly guarded: boolean;
  /** The run as the host names it, whatever that is: for telling this lock from a later one. */
  readonly run: string;
  /** Undefined where what the host says of it makes no sense. */
  readonly owner: Owner | undefined;
}

const printed = (longest: number) =>
  z
    .string()
    .regex(/^[^\p{C}]+$/u)
    .max(longest);

// A host is not trusted: what it says is shown to people, and a date must be one.
const OwnerLines = z.object({
  run: z.string().regex(/^[\w.:-]{1,80}$/),
  user: printed(64),
  machine: printed(255),
  since: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
});

/** The owner as arguments of the lock's script, a line each. */
export const ownerLines = ({ run, user, machine, since }: Owner): readonly string[] =>
  [run, user, machine, String(since)].map((line) => line.replace(/\p{C}/gu, "?") || "?");

/** Reads what the lock's scripts print. */
export function parseLockState(printed: string): LockState {
  const [held, guarded, run = "", user, machine, since] = printed.split("\n");
  const owner = OwnerLines.safeParse({ run, user, machine, since });
  return { held: held === "held", guarded: guarded === "guarded", run, owner: owner.data };
}

/** @example "run 2026-11-26-220159-k3f9 of anna on ops1, since 2026-11-26 22:01 UTC" */
export function describeOwner(owner: Owner | undefined): string {
  if (owner === undefined) return "somebody of whom it says nothing that makes sense";
  const { run, user, machine, since } = owner;
  const at = new Date(since).toISOString().slice(0, 16).replace("T", " ");
  return `run ${run} of ${user} on ${machine}, since ${at} UTC`;
}
