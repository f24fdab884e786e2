import { isAlive } from "#engine/host/process-identity.ts";
import type { LabContext } from "./context.ts";
import { timed } from "./machine/timed.ts";
import type { LabService } from "./service.ts";
import { serviceFingerprint, startService, stopService } from "./services.ts";
import { type LabState, writeState } from "./state/state.ts";

/** Sees to it that the services run as they are defined now: one that does stays untouched. */
export async function ensureServices(
  context: LabContext,
  state: LabState,
  services: readonly LabService[],
): Promise<void> {
  for (const service of services) {
    const { name } = service;
    const known = state.services[name];
    const same = known?.fingerprint === serviceFingerprint(service);
    if (known && same && (await isAlive(known.process))) continue;
    if (known) await stopService(known);
    await timed(context.report, { label: `start ${name}` }, async () => {
      state.services[name] = await startService(service, context.paths.services);
      await writeState(context.paths.state, state);
    });
  }
}

/** Ends a service and forgets it; one that is not there is no failure. */
export async function dropService(
  context: LabContext,
  state: LabState,
  name: string,
): Promise<void> {
  const known = state.services[name];
  if (known === undefined) return;
  await stopService(known);
  delete state.services[name];
  await writeState(context.paths.state, state);
}
