import type { ModuleSpec } from "../dsl/module.ts";
import { isPlaybookError } from "../errors/error.ts";
import { type Converged, converge, type Wish } from "./converge.ts";
import { settleGuards } from "./guard.ts";
import { inModule } from "./module-fault.ts";

/** What a module's read gave. */
type Found = Parameters<ModuleSpec["diff"]>[0];

/** What was found before the first change. */
export interface Before {
  readonly now: unknown;
  /** Where the host was reached; undefined is where the inventory says. */
  readonly address: string | undefined;
}

/** Brings a host back to what was found before: converges, with the way back in the place of the wish. */
export const convergeBack = (wish: Wish, before: Before): Promise<Converged> =>
  converge({ ...wish, step: `undo of ${wish.step}`, module: backwards(wish.module, before.now) });

/** The same module, wanting what was there before. */
function backwards(module: ModuleSpec, before: unknown): ModuleSpec {
  const { name, summary, params } = module;
  return {
    name,
    summary,
    params,
    read: (host, want) => module.read(host, want),
    // What one read found is what another takes.
    diff: (now, want) => module.undo?.(before as Found, now, want) ?? [],
  };
}

/** Asks, before anything is changed, whether what was found could be brought back. @throws PB_UNDO_LOST */
export async function refuseLost(
  module: ModuleSpec,
  { now, want, host }: Pick<Before, "now"> & Pick<Wish, "want"> & { readonly host: string },
): Promise<void> {
  const found = now as Found;
  try {
    await inModule(module.name, "undo()", () => [...(module.undo?.(found, found, want) ?? [])]);
  } catch (error) {
    const state = `nothing was changed on ${host}`;
    throw isPlaybookError(error) ? error.with({ host, state }) : error;
  }
}

const CALL_MS = 5000;
const PAUSE_MS = 500;

/**
 * A guarded change that was cut off may have taken the host to another address, and is over only when the host says
 * so: finds it where it is, and waits. Ends at the wish's deadline.
 */
export async function regain(
  { on, manner, clock }: Pick<Wish, "on" | "manner" | "clock">,
  before: Pick<Before, "address">,
): Promise<void> {
  const places = [...new Set([before.address, on.address])];
  for (let turn = 0; ; turn += 1) {
    try {
      const to = { address: places[turn % places.length] };
      const connection = await on.reconnect({ to, timeoutMs: CALL_MS });
      return await settleGuards(connection, on.name);
    } catch (error) {
      const mayPass = isPlaybookError(error) && error.code !== "PB_GUARD_BUSY";
      if (manner.signal.aborted || !mayPass || manner.left() <= 0) throw error;
      await clock.wait(PAUSE_MS, manner.signal);
    }
  }
}
