/** How time and memory grow with the number of hosts: the same work, with nothing to do, on simulated ones. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { orMissing } from "#lab/machine/files.ts";
import { firstOf } from "../hosts.ts";
import { measure } from "../measure.ts";
import type { Peer } from "../peers/peer.ts";
import { startFleet } from "./fleet.ts";

const RUN_MS = 10 * 60_000;
const LOOK_MS = 50;

export interface Scale {
  readonly hosts: number;
  readonly ms: number;
  readonly cpuMs: number;
  /** Highest resident memory of the whole process. */
  readonly peakMiB: number;
}

/** run-playbook on more and more hosts. `folder` is for keys and the like. */
export async function measureScale(
  ours: Peer,
  folder: string,
  sizes: readonly number[],
): Promise<Scale[]> {
  const own = join(folder, "fleet");
  await mkdir(own);
  await using fleet = await startFleet(Math.max(...sizes), own);
  const scales: Scale[] = [];
  for (const hosts of sizes) {
    const memory = new Memory();
    const command = await ours.command(firstOf(fleet.hosts, hosts));
    const { ms, cpuMs, printed } = await measure(command, RUN_MS, (pid) => memory.watch(pid));
    const changed = ours.changed(printed, hosts);
    if (changed !== 0) throw new Error(`${changed} changes on hosts that need none`);
    scales.push({ hosts, ms: Math.round(ms), cpuMs, peakMiB: await memory.end() });
  }
  return scales;
}

/** The kernel's own high-water mark of a process, read until it is gone. */
class Memory {
  #peak = 0;
  #watching: Promise<void> = Promise.resolve();

  watch(pid: number): void {
    this.#watching = this.#look(pid);
  }

  async end(): Promise<number> {
    await this.#watching;
    return Math.round(this.#peak);
  }

  async #look(pid: number): Promise<void> {
    for (;;) {
      const status = await orMissing(readFile(`/proc/${pid}/status`, "utf8"));
      const kiB = /^VmHWM:\s+(\d+) kB/m.exec(status ?? "")?.[1];
      // A process that has ended and was not yet waited for has no memory any more.
      if (kiB === undefined) return;
      this.#peak = Math.max(this.#peak, Number(kiB) / 1024);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
