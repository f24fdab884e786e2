/** Measures cells, and sees to it that the hosts are as each needs them. */
import { floorWork } from "./floor/job.ts";
import { type BenchHosts, firstOf } from "./hosts.ts";
import { type Measured, measure } from "./measure.ts";
import { floorProgram } from "./peers/floor.ts";
import type { Peer } from "./peers/peer.ts";
import type { Cell, Sample } from "./result.ts";
import { checks, prepareScript, resetScript } from "./workload.ts";

const RUN_MS = 15 * 60_000;
const SCRIPT_MS = 5 * 60_000;

type FloorCommand = Awaited<ReturnType<typeof floorProgram>>;

export class Runner {
  readonly #folder: string;
  readonly #floor: FloorCommand;
  readonly #all: BenchHosts;
  readonly #peers: readonly Peer[];
  /** How many hosts, from the first on, have all of the work done. */
  #done = 0;

  private constructor(
    all: BenchHosts,
    peers: readonly Peer[],
    floor: FloorCommand,
    folder: string,
  ) {
    this.#all = all;
    this.#peers = peers;
    this.#floor = floor;
    this.#folder = folder;
  }

  /** `folder` is for what the floor is told. */
  static async open(all: BenchHosts, peers: readonly Peer[], folder: string): Promise<Runner> {
    const runner = new Runner(all, peers, await floorProgram(), folder);
    await runner.#script(prepareScript, all);
    await runner.#script(resetScript, all);
    return runner;
  }

  /** One whole process. @throws where a peer did not do what it was measured at */
  async measure(cell: Cell): Promise<Sample> {
    const on = firstOf(this.#all, cell.hosts);
    if (cell.mode === "no-op") await this.#finish(on);
    else await this.#reset(on);
    if (cell.peer === "connect")
      return sample(await this.#run(await this.#floor(this.#folder, on, {})));
    const peer = this.#peers.find(({ name }) => name === cell.peer);
    if (peer === undefined) throw new Error(`${cell.peer} is not there`);
    const measured = await this.#run(await peer.command(on));
    const changed = peer.changed(measured.printed, cell.hosts);
    const wanted = cell.mode === "no-op" ? 0 : cell.hosts * checks;
    if (changed !== wanted)
      throw new Error(
        `${cell.peer} changed ${changed} of ${wanted}:\n${measured.printed.stdout.slice(-3000)}`,
      );
    this.#done = Math.max(this.#done, cell.hosts);
    return sample(measured);
  }

  #run(command: Parameters<typeof measure>[0]): Promise<Measured> {
    return measure(command, RUN_MS);
  }

  async #finish(on: BenchHosts): Promise<void> {
    if (this.#done >= on.hosts.length) return;
    await this.#run(await this.#floor(this.#folder, on, floorWork));
    this.#done = on.hosts.length;
  }

  async #reset(on: BenchHosts): Promise<void> {
    await this.#script(resetScript, on);
    // Those behind them may be done, but the count is from the first on.
    this.#done = 0;
  }

  /** A script on hosts that must print nothing. */
  async #script(check: string, on: BenchHosts): Promise<void> {
    const scripts = { check, wanted: "", apply: "exit 1" };
    await measure(await this.#floor(this.#folder, on, scripts), SCRIPT_MS);
  }
}

const sample = ({ ms, cpuMs }: Measured): Sample => ({ ms: Math.round(ms), cpuMs });
