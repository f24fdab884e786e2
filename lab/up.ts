import { mkdir } from "node:fs/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import { ensureAccess, writeKnownHosts } from "./access.ts";
import { aptProxyService } from "./apt-proxy/service.ts";
import { artifactServices } from "./artifact-services.ts";
import { ensureBase } from "./base/base.ts";
import { clearStale } from "./clear.ts";
import type { LabContext } from "./context.ts";
import { applyFaults } from "./faults/network-faults.ts";
import { boot, isRunning, makeHost } from "./hosts.ts";
import { ensureServices } from "./keep-services.ts";
import { lockLab } from "./lock-lab.ts";
import { type AptSettings, readAptSettings } from "./machine/apt-settings.ts";
import { checkMachine } from "./machine/check.ts";
import { raiseInotify } from "./machine/inotify.ts";
import { ensurePackages, type PackageConsent } from "./machine/packages.ts";
import { together } from "./machine/together.ts";
import { ensureNetwork } from "./network/network.ts";
import { addressPlan, freeIndex } from "./plan/address-plan.ts";
import { checkHostName } from "./plan/names.ts";
import { type LabState, readState, writeState } from "./state/state.ts";

/** What a lab shall be. Everything has a default; a running lab keeps what is not given. */
export interface UpOptions extends Partial<PackageConsent> {
  /** Hosts that shall run: others that the lab has are left as they are. */
  readonly hosts?: readonly string[] | undefined;
  /** Size of each new host's disk, as truncate takes it. */
  readonly disk?: string | undefined;
  readonly dualStack?: boolean | undefined;
  /** A folder or URL laid out as the lab's mirror: asked before official releases and builds. */
  readonly from?: string | undefined;
  /** Without the services that serve artifacts. */
  readonly bare?: boolean | undefined;
}

export const DEFAULT_HOSTS = ["cp1", "cp2", "cp3", "w1"] as const;
const DEFAULT_DISK = "8G";

/** Brings a lab to what is asked for; what already is so stays untouched. */
export async function up(context: LabContext, options: UpOptions = {}): Promise<LabState> {
  checkMachine();
  const { yes = false, ask } = options;
  await ensurePackages({ yes, ask }, context.report);
  await using _lock = await lockLab(context);
  await clearStale(context);

  const apt = await readAptSettings();
  const base = await ensureBase(context.cache, async () => apt, context.report);
  const earlier = await readState(context.paths.state);
  const state = planState(context.name, options, { base, earlier });
  await mkdir(context.paths.folder, { recursive: true, mode: 0o700 });
  await writeState(context.paths.state, state);
  await ensureAccess(context);
  await ensureNetwork(state, context.paths.labs);
  await applyFaults(context, state);
  await ensureServices(context, state, [aptProxyService(context.name, context.cache, apt)]);
  if (options.bare !== true) await ensureArtifacts(context, state, options.from);
  await ensureHosts(context, state, apt);
  return state;
}

/** The state that is asked for, from the one there is. */
export function planState(
  name: string,
  options: UpOptions,
  { base, earlier }: { base: string; earlier: LabState | undefined },
): LabState {
  const dualStack = options.dualStack ?? earlier?.dualStack ?? false;
  if (earlier && dualStack !== earlier.dualStack)
    throw new PlaybookError("PB_LAB_MIXED", [
      "the address families",
      families(earlier.dualStack),
      families(dualStack),
    ]);
  const hosts = { ...earlier?.hosts };
  const wanted = options.hosts ?? (earlier ? Object.keys(earlier.hosts) : DEFAULT_HOSTS);
  for (const host of wanted.map(checkHostName)) {
    const index = freeIndex(Object.values(hosts).map((known) => known.index));
    hosts[host] ??= { index, power: "on" };
    hosts[host] = { ...hosts[host], power: "on" };
  }
  return {
    version: 1,
    name,
    dualStack,
    disk: options.disk ?? earlier?.disk ?? DEFAULT_DISK,
    // Disks stand on the base they were made with.
    base: earlier?.base ?? base,
    hosts,
    services: { ...earlier?.services },
    // Faults stay until they are healed, or the lab is gone.
    ...(earlier?.cableFault && { cableFault: earlier.cableFault }),
  };
}

const families = (dualStack: boolean): string => (dualStack ? "IPv6 and IPv4" : "IPv6 only");

async function ensureArtifacts(
  context: LabContext,
  state: LabState,
  from: string | undefined,
): Promise<void> {
  const { machine: address } = addressPlan(context.name);
  const { services, fill } = await artifactServices({ context, address, from });
  await ensureServices(context, state, services);
  await fill();
}

async function ensureHosts(context: LabContext, state: LabState, apt: AptSettings): Promise<void> {
  const down: string[] = [];
  for (const [name, host] of Object.entries(state.hosts))
    if (host.power === "on" && !(await isRunning(host))) down.push(name);
  await together(down, (name) => makeHost(context, state, { name, dates: apt.dates }));
  await writeKnownHosts(context, state);
  await raiseInotify({ labs: context.paths.labs }, down.length);
  await boot(context, state, down);
}
