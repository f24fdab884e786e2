import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { script } from "../host/command.ts";
import type { CallOptions, Connection } from "../host/connection.ts";
import { hostLocked } from "./host-locks.ts";
import { freeScript, showScript } from "./lock-script.ts";
import { describeOwner, type LockState, parseLockState } from "./owner.ts";

/** A lock that somebody holds on a host. */
export interface FoundLock extends LockState {
  /** Whose it is there: root's, or the login user's where a run did nothing as root. */
  readonly as: CallOptions["as"];
}

/** Looks for a lock on a host; undefined where nobody holds one. @throws what the transport does */
export async function findLock(connection: Connection): Promise<FoundLock | undefined> {
  let refused: unknown;
  for (const as of ["root", undefined]) {
    try {
      const { stdout } = await connection.run(script(showScript), asUser(as));
      const state = parseLockState(stdout);
      if (state.held) return { ...state, as };
    } catch (error) {
      if (!isPlaybookError(error) || !error.code.startsWith("PB_SUDO_")) throw error;
      refused = error;
    }
  }
  if (refused !== undefined) throw refused;
  return undefined;
}

/**
 * Frees a lock that was found, and no other: one that changed hands meanwhile stays.
 * @throws PB_GUARD_BUSY while a guarded change is under way, PB_HOST_LOCKED where another run holds it by now
 */
export async function freeLock(
  host: string,
  connection: Connection,
  { as, owner, guarded, run }: FoundLock,
): Promise<void> {
  const busy = () =>
    new PlaybookError("PB_GUARD_BUSY", [host, describeOwner(owner)], {
      state: `${host} stays locked`,
    });
  if (guarded) throw busy();
  const { code, stdout, stderr } = await connection.run(script(freeScript, run), asUser(as));
  if (code === 0) return;
  if (code === 5) throw busy();
  if (code === 7) throw hostLocked(host, stdout);
  throw new PlaybookError("PB_LOCK_STUCK", [host, stderr.trim() || `sh exited ${code}`]);
}

const asUser = (as: CallOptions["as"]) => (as === undefined ? {} : { as });
