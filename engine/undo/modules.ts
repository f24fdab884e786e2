import { findBefore, type Kept, type KeptName } from "../converge/kept.ts";
import type { Change } from "../dsl/change.ts";
import { type ModuleSpec, noParams } from "../dsl/module.ts";
import { PlaybookError } from "../errors/error.ts";
import type { Host } from "../host/host.ts";

type Found = Parameters<ModuleSpec["diff"]>[0];

// A type and not an interface: what a read gives is a record.
type Seen = { readonly kept: Kept; readonly now: Found };

/** By what a node is undone: its record on the host, and what that is known by. */
export interface Recorded extends KeptName {
  readonly sha256: string;
}

/** A node's module, wanting what was there before the run changed it. */
export const undoing = (module: ModuleSpec, recorded: Recorded): ModuleSpec =>
  seeing(module, recorded, ({ kept, now }) => module.undo?.(kept.before as Found, now, kept.want));

/** The same, wanting only what runs to be younger than its files. */
export const renewing = (module: ModuleSpec, recorded: Recorded): ModuleSpec =>
  seeing(module, recorded, ({ kept, now }) => module.renew?.(now, kept.want));

function seeing(
  module: ModuleSpec,
  recorded: Recorded,
  changes: (seen: Seen) => Iterable<Change> | undefined,
): ModuleSpec {
  const { name, summary } = module;
  return {
    name,
    summary,
    params: noParams,
    async read(host: Host): Promise<Seen> {
      const kept = await findBefore(host, recorded, recorded.sha256);
      if (kept.module !== name)
        throw new PlaybookError("PB_UNDO_FORGOTTEN", [
          host.name,
          recorded.step,
          `the step was ${kept.module} then, and is ${name}`,
        ]);
      return { kept, now: await module.read(host, kept.want) };
    },
    // What one read gave is what another takes.
    diff: (seen) => changes(seen as Seen) ?? [],
  };
}
