import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { clearHosts, clearNetwork, readStateIfWhole } from "./clear.ts";
import type { LabContext } from "./context.ts";
import { lockLab } from "./lock-lab.ts";
import { readCgroupMachine, takeBackControllers } from "./machine/cgroups.ts";
import { checkMachine } from "./machine/check.ts";
import { orMissing } from "./machine/files.ts";
import { restoreInotify } from "./machine/inotify.ts";
import { removeNetnsFolder } from "./machine/netns-folder.ts";
import { timed } from "./machine/timed.ts";
import { stopNotedServices } from "./services.ts";

/** Takes a lab away: processes, disks, network, control groups, services, state. What is not there is no failure. */
export async function down(context: LabContext): Promise<void> {
  checkMachine();
  const { paths, name, report } = context;
  await using _lock = await lockLab(context);
  await timed(report, { label: `take lab ${name} down` }, async () => {
    const state = await readStateIfWhole(context);
    await clearHosts(context, state);
    await stopNotedServices(paths.services);
    await clearNetwork(name);
    await takeBackControllers(await readCgroupMachine(), paths.labs);
    await removeNetnsFolder(paths.labs);
    await restoreInotify({ labs: paths.labs });
    await rm(paths.folder, { recursive: true, force: true });
    await rm(paths.lock);
  });
  await removeEmpty(paths.labs);
}

// The last lab takes the folders with it.
async function removeEmpty(folder: string): Promise<void> {
  for (const at of [folder, dirname(folder)]) {
    const names = await orMissing(readdir(at));
    if (names === undefined || names.length > 0) return;
    await orMissing(rmdir(at));
  }
}
