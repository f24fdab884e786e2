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

/** Whether a host answers and is another run's: no waiting for the host itself mends that. */
export const isLocked = (error: unknown): boolean =>
  isPlaybookError(error) && (error.code === "PB_HOST_LOCKED" || error.code === "PB_LOCK_LOST");

/** Connects; what goes wrong is the host's failure, not the step's. */
export const reach = (host: string, { hosts }: RunContext): Promise<Reached> =>
  hosts.reach(host).catch((error: unknown) => {
    throw new Unreached(host, error);
  });
