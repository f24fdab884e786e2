import { rm, writeFile } from "node:fs/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import { isAlive } from "#engine/host/process-identity.ts";
import { ensureAccess } from "./access.ts";
import type { LabContext } from "./context.ts";
import { makeDisk, powerOn, waitReady, writePassword } from "./host/boot.ts";
import type { Launch } from "./host/launch.ts";
import { killHost, removeHost } from "./host/remove.ts";
import { writeSeed } from "./host/seed.ts";
import type { AptSettings } from "./machine/apt-settings.ts";
import { cgroupLayout, handDownControllers, readCgroupMachine } from "./machine/cgroups.ts";
import { readText } from "./machine/files.ts";
import { timed } from "./machine/timed.ts";
import { together } from "./machine/together.ts";
import { bridgeOf, plugIn, replugScript, unplug } from "./network/port.ts";
import { addressPlan } from "./plan/address-plan.ts";
import { machineNames } from "./plan/names.ts";
import {
  type HostState,
  type LabState,
  type ProcessIdentity,
  writeState,
  writeWhole,
} from "./state/state.ts";

/** True while the host's own process runs. */
export const isRunning = async (host: HostState): Promise<boolean> =>
  host.power === "on" && host.process !== undefined && (await isAlive(host.process));

/** A host of the state by name, or the error that lists those there are. */
export function hostOf(state: LabState, name: string): HostState {
  const host = Object.hasOwn(state.hosts, name) ? state.hosts[name] : undefined;
  if (host) return host;
  throw new PlaybookError("PB_LAB_UNKNOWN_HOST", [name, Object.keys(state.hosts)]);
}

/** Gives a new host its disk and the files that make it this one. */
export async function makeHost(
  context: LabContext,
  state: LabState,
  { name, dates }: { name: string; dates: AptSettings["dates"] },
): Promise<void> {
  const paths = context.paths.host(name);
  // A disk without this file belongs to a host whose making was cut short.
  if ((await readText(`${paths.seed}.done`)) !== undefined) return;
  await rm(paths.folder, { recursive: true, force: true });
  const access = await ensureAccess(context);
  const { publicKey } = access;
  const { index } = hostOf(state, name);
  await writeSeed(paths, { lab: state, host: name, index, publicKey, dates });
  await writePassword(paths, "opspw", access.sudoPassword);
  await makeDisk(paths, state.disk);
  await writeFile(`${paths.seed}.done`, "");
}

/** Boots hosts side by side and waits until each answers ssh. */
export async function boot(
  context: LabContext,
  state: LabState,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  await handDownControllers(await readCgroupMachine(), context.paths.labs);
  await timed(context.report, { label: `boot ${names.join(", ")}`, expectedMs: 3000 }, async () => {
    const booted: Booted[] = [];
    try {
      await together(names, async (name) => {
        booted.push(await switchOn(context, state, name));
      });
    } finally {
      for (const { launch, process } of booted) {
        state.hosts[launch.host] = { ...hostOf(state, launch.host), power: "on", process };
      }
      await writeState(context.paths.state, state);
    }
    await together(booted, ({ launch, process }) =>
      waitReady(launch, process, soundAddress(state, launch.host)),
    );
  });
}

/** A power cut: the cable first, so that nothing a dying process still sends gets out. */
export async function cutPower(
  context: LabContext,
  state: LabState,
  names: readonly string[],
): Promise<void> {
  const hosts = names.map((name) => ({ name, host: hostOf(state, name) }));
  const machine = await readCgroupMachine();
  for (const { name, host } of hosts) {
    if (host.power === "off") continue;
    await unplug(state.name, name);
    await killHost(state.name, name, machine);
    const { process: _ended, ...rest } = host;
    state.hosts[name] = { ...rest, power: "off" };
    await writeState(context.paths.state, state);
  }
}

/** The host's address, unless something on the way to it is at fault on purpose. */
function soundAddress(state: LabState, name: string): string | undefined {
  const { index, faults } = hostOf(state, name);
  const faulty = faults?.cut || faults?.line || state.cableFault;
  return faulty ? undefined : addressPlan(state.name).host(index);
}

interface Booted {
  readonly launch: Launch;
  readonly process: ProcessIdentity;
}

async function switchOn(context: LabContext, state: LabState, name: string): Promise<Booted> {
  // Whatever an earlier boot of it left: after a power cut its network must be a fresh one too.
  await removeHost(state.name, name, context.paths.host(name).image);
  const bridge = bridgeOf(name, hostOf(state, name).faults);
  const paths = context.paths.host(name);
  await writeWhole(paths.replug, replugScript(state.name, name, bridge));
  await plugIn(state.name, name, bridge);
  const machine = machineNames(state.name).host(name);
  const launch: Launch = {
    machine,
    host: name,
    base: state.base,
    paths,
    cgroups: cgroupLayout(await readCgroupMachine(), machine),
  };
  return { launch, process: await powerOn(launch) };
}
