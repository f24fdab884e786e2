import type { Reached } from "../converge/reached.ts";
import { isPlaybookError } from "../errors/error.ts";
import type { RunContext } from "./context.ts";

/** A host that could not be connected to, told apart from a call that failed on one that was. */
export class Unreached extends Error {
  readonly host: string;
  constructor(host: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : `${host} could not be reached`, { cause });
    this.host = host;
  }
}

const refusals: Readonly<Record<string, string>> = {
  PB_HOST_LOCKED: "is locked",
  PB_LOCK_LOST: "is no longer locked for this run",
  PB_LOCK_FAILED: "cannot be locked",
};

/** How a host that answers keeps this run out all the same; undefined where the host itself is the trouble. */
export const refusal = (error: unknown): string | undefined =>
  isPlaybookError(error) ? refusals[error.code] : undefined;

/** Whether a host was reached and is another run's: neither a further attempt nor a gate's patience mends that. */
export const isKeptOut = (error: unknown): boolean =>
  error instanceof Unreached && refusal(error.cause) !== undefined;

/** Connects; what goes wrong is the host's failure, not the step's. */
export const reach = (host: string, { hosts }: RunContext): Promise<Reached> =>
  hosts.reach(host).catch((error: unknown) => {
    throw new Unreached(host, error);
  });

/** The same before a change, as a lock can be lost at any moment: nothing is changed beside another run. */
export const stillOwned = (host: string, { hosts }: RunContext): Promise<void> =>
  hosts.confirmed(host).catch((error: unknown) => {
    throw new Unreached(host, error);
  });

/** The same for a host being this run's: until then it is only looked at. */
export const owned = (host: string, { hosts }: RunContext): Promise<void> =>
  hosts.held(host).catch((error: unknown) => {
    throw new Unreached(host, error);
  });
