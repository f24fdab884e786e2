import { spawn } from "node:child_process";
import { PlaybookError } from "#engine/errors/error.ts";
import type { Command } from "#engine/host/command.ts";
import { clearStale } from "./clear.ts";
import { type LabContext, labContext } from "./context.ts";
import { down } from "./down.ts";
import { insideHost } from "./exec.ts";
import { cutHosts, delayCable, delayHosts, fillHosts, healHosts } from "./faults/faults.ts";
import { applyFaults } from "./faults/network-faults.ts";
import { type LineWish, parseLine, parseSize } from "./faults/parse.ts";
import { boot, cutPower, hostOf, isRunning } from "./hosts.ts";
import { lockLab } from "./lock-lab.ts";
import { checkMachine } from "./machine/check.ts";
import { attempt, type RunResult } from "./machine/run.ts";
import type { ReportProgress } from "./progress.ts";
import { type LabState, readState } from "./state/state.ts";
import { type UpOptions, up } from "./up.ts";
import { type LabView, labView } from "./view.ts";

/** What may go with a command that is run inside a host. */
export interface ExecOptions {
  readonly stdin?: Command["stdin"];
  /** Deadline in seconds. */
  readonly seconds?: number;
}

const NO_FAULT = { delayMs: 0, lossPercent: 0 };

/** Real hosts on this machine, by name: the same name is the same lab in every process. */
export class Lab {
  readonly #context: LabContext;
  constructor(context: LabContext) {
    this.#context = context;
  }

  get name(): string {
    return this.#context.name;
  }

  /** Starts the lab, adds hosts to it, or boots those that are down. */
  async up(options: UpOptions = {}): Promise<LabView> {
    return labView(this.#context.paths, await up(this.#context, options));
  }

  /** Takes everything away; also clears what a crashed lab of this name left. */
  async down(): Promise<void> {
    await down(this.#context);
  }

  /** Runs a program inside a host as root, whatever its network does, and gives its output and exit code. */
  async exec(host: string, argv: Command["argv"], options: ExecOptions = {}): Promise<RunResult> {
    const inside = await insideHost(await this.state(), host, argv);
    const { stdin, seconds } = options;
    return attempt({ argv: inside, ...(stdin === undefined ? {} : { stdin }) }, seconds);
  }

  /** The same with this process's own terminal; gives the exit code. */
  async execHere(host: string, argv: Command["argv"]): Promise<number> {
    return attached(await insideHost(await this.state(), host, argv));
  }

  /** Logs in to a host with the system's ssh, or runs a command there; gives the exit code. */
  async ssh(host: string, rest: readonly string[] = []): Promise<number> {
    const state = await this.state();
    hostOf(state, host);
    const { hosts, identityFile, knownHostsFile } = labView(this.#context.paths, state);
    const address = hosts.find(({ name }) => name === host)?.address ?? host;
    const options = [`UserKnownHostsFile=${knownHostsFile}`, "StrictHostKeyChecking=yes"];
    const flags = options.flatMap((option) => ["-o", option]);
    return attached([
      "ssh",
      "-F",
      "none",
      "-i",
      identityFile,
      ...flags,
      `root@${address}`,
      ...rest,
    ]);
  }

  /** A power cut: processes end at once, the network goes dark, the disk stays. */
  async kill(...hosts: string[]): Promise<void> {
    await using _lock = await this.#lock();
    await cutPower(this.#context, await this.state(), hosts);
  }

  /** Boots hosts whose power was cut, or that crashed, from their own disks. */
  async start(...hosts: string[]): Promise<void> {
    await using _lock = await this.#lock();
    await clearStale(this.#context);
    const state = await this.state();
    const down: string[] = [];
    for (const name of hosts) if (!(await isRunning(hostOf(state, name)))) down.push(name);
    await applyFaults(this.#context, state);
    await boot(this.#context, state, down);
  }

  /** Makes the network of hosts dark both ways: silence, while their cards keep their carrier. */
  async cut(...hosts: string[]): Promise<void> {
    await using _lock = await this.#lock();
    await cutHosts(this.#context, await this.state(), hosts);
  }

  /** Undoes cut, delay, loss and fill; without names, on every host and on the cable to them. */
  async heal(...hosts: string[]): Promise<void> {
    await using _lock = await this.#lock();
    const state = await this.state();
    if (hosts.length === 0) await delayCable(this.#context, state, NO_FAULT);
    await healHosts(this.#context, state, hosts.length === 0 ? Object.keys(state.hosts) : hosts);
  }

  /** Delays all that hosts send and get, and loses some of it. A further call replaces the one before. */
  async delay(hosts: string | readonly string[], wish: LineWish): Promise<void> {
    const line = parseLine(wish);
    await using _lock = await this.#lock();
    await delayHosts(this.#context, await this.state(), { names: [hosts].flat(), line });
  }

  /** The same for all that passes between the machine and any host, by one line before the bridge. */
  async delayAll(wish: LineWish): Promise<void> {
    const line = parseLine(wish);
    await using _lock = await this.#lock();
    await delayCable(this.#context, await this.state(), line);
  }

  /** Fills the disks of running hosts but for the room to be left, such as "1M"; none unless given. */
  async fill(hosts: string | readonly string[], { leave = "0" } = {}): Promise<void> {
    const leaveBytes = parseSize(leave);
    await using _lock = await this.#lock();
    await fillHosts(this.#context, await this.state(), { names: [hosts].flat(), leaveBytes });
  }

  /** Addresses, keys and names, for an inventory. */
  async view(): Promise<LabView> {
    return labView(this.#context.paths, await this.state());
  }

  /** The state as it is on disk, or the error that the lab is not up. */
  async state(): Promise<LabState> {
    const state = await readState(this.#context.paths.state);
    if (state) return state;
    throw new PlaybookError("PB_LAB_NOT_UP", [this.name]);
  }

  #lock() {
    checkMachine();
    return lockLab(this.#context);
  }
}

/** A lab by name. Nothing happens before one of its methods is called. */
export const openLab = (name = "lab", report?: ReportProgress): Lab =>
  new Lab(labContext(name, report));

function attached([program, ...args]: readonly [string, ...string[]]): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? (signal ? 130 : 1)));
  });
}
