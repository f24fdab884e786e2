import type { LabContext } from "../context.ts";
import { delayLineService } from "../delay-line/service.ts";
import { hostOf } from "../hosts.ts";
import { dropService, ensureServices } from "../keep-services.ts";
import { orMissing } from "../machine/files.ts";
import {
  cableDetour,
  type Detour,
  ensureDetour,
  hostDetour,
  joinDetour,
  removeDetour,
} from "../network/detour.ts";
import { BRIDGE, batch, pluggedInto, UPLINK } from "../network/network.ts";
import { bridgeOf, movePort, port, replugScript } from "../network/port.ts";
import { machineNames } from "../plan/names.ts";
import { CABLE_LINE_PORT } from "../ports.ts";
import { type LabState, writeWhole } from "../state/state.ts";
import type { LineFault } from "./fault-state.ts";

interface Line {
  readonly service: string;
  readonly port: number;
  readonly detour: Detour;
}

const hostLine = (host: string, index: number): Line => ({
  service: `delay-${host}`,
  port: CABLE_LINE_PORT + index,
  detour: hostDetour(host),
});

const cableLine: Line = {
  service: "cable-delay",
  port: CABLE_LINE_PORT,
  detour: cableDetour,
};

/** Makes the whole lab's network what the state's faults say; what is so already stays untouched. */
export async function applyFaults(context: LabContext, state: LabState): Promise<void> {
  await applyCableFault(context, state);
  const plugged = await pluggedInto(state.name);
  for (const [name, { faults }] of Object.entries(state.hosts)) {
    const bridge = plugged.get(port(name)) ?? BRIDGE;
    const isPlain = bridge === BRIDGE && !plugged.has(hostDetour(name).bridge);
    if (faults || !isPlain) await applyHostFaults(context, state, name);
  }
}

/** Makes the way between the machine and all hosts what the state says. */
export async function applyCableFault(context: LabContext, state: LabState): Promise<void> {
  const { namespace } = machineNames(state.name);
  const { cableFault } = state;
  if (cableFault) await ensureLine(context, state, { ...cableLine, ailment: cableFault });
  const bridge = cableFault ? cableDetour.bridge : BRIDGE;
  await batch(namespace, [`link set ${UPLINK} master ${bridge} up`]);
  if (!cableFault) await removeLine(context, state, cableLine);
}

/** Makes a host's way to the others what the state says, now and after a reboot from inside. */
export async function applyHostFaults(
  context: LabContext,
  state: LabState,
  name: string,
): Promise<void> {
  const { index, faults } = hostOf(state, name);
  const line = hostLine(name, index);
  if (faults?.line) await ensureLine(context, state, { ...line, ailment: faults.line });
  const bridge = bridgeOf(name, faults);
  const script = replugScript(state.name, name, bridge);
  // A host that is yet to be made has no folder.
  await orMissing(writeWhole(context.paths.host(name).replug, script));
  await movePort(state.name, name, bridge);
  if (!faults?.line) await removeLine(context, state, line);
}

async function ensureLine(
  context: LabContext,
  state: LabState,
  { service, port, detour, ailment }: Line & { readonly ailment: LineFault },
): Promise<void> {
  await ensureDetour(state.name, detour);
  const cards = [detour.near, detour.far] as const;
  await ensureServices(context, state, [
    delayLineService(state.name, { service, port, cards, ailment }),
  ]);
  await joinDetour(state.name, detour);
}

async function removeLine(context: LabContext, state: LabState, line: Line): Promise<void> {
  await dropService(context, state, line.service);
  await removeDetour(state.name, line.detour);
}
