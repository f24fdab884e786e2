import type { Playbook } from "#engine/dsl/playbook.ts";
import type { FakeHost } from "#engine/host/fake/host.ts";
import type { RunRecord } from "#engine/journal/record.ts";
import { makePlan } from "#engine/plan/expand.ts";
import { changedNodes } from "#engine/undo/changed.ts";
import { undoPlan } from "#engine/undo/plan.ts";
import { inventoryOf, type Played, play, type Stage } from "./play.ts";

/** What an undo came to, and what it said would stay. */
export interface UndonePlay extends Played {
  readonly stays: readonly string[];
  readonly forks: number | undefined;
}

/** Undoes what journals say was changed, oldest run first, as the command line does. */
export async function playUndo(
  playbook: Playbook,
  runs: readonly RunRecord[],
  {
    hosts,
    ...stage
  }: Omit<Stage, "hosts"> & { readonly hosts: Readonly<Record<string, FakeHost>> },
): Promise<UndonePlay> {
  const inventory = inventoryOf(Object.keys(hosts), stage);
  const { plan, stays, forks } = undoPlan(
    makePlan({ playbook, inventory, params: {} }),
    changedNodes(runs),
  );
  const few = forks === undefined ? {} : { forks };
  const played = await play(playbook, { ...stage, ...few, hosts, plan });
  return { ...played, stays, forks };
}
