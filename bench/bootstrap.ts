/** The engine's own share of a long run: bootstrap.ts, from bare lab hosts to a proved cluster. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeInventory } from "#lab/inventory-file.ts";
import { openLab } from "#lab/lab.ts";
import type { ReportProgress } from "#lab/progress.ts";
import { measure } from "./measure.ts";

const RUN_MS = 30 * 60_000;

export interface BootstrapShare {
  readonly ms: number;
  /** All that the process itself computes: no more than this can be its share of the time. */
  readonly cpuMs: number;
}

/** Takes a lab of its own, and takes it away again. */
export async function measureBootstrap(report: ReportProgress): Promise<BootstrapShare> {
  const lab = openLab("benchboot", report);
  const folder = await mkdtemp(join(tmpdir(), "bench-bootstrap-"));
  try {
    const inventory = join(folder, "lab.ts");
    await writeInventory(await lab.up({ yes: true }), inventory);
    const bin = join(import.meta.dirname, "../dist/engine/cli/bin.js");
    const args = ["bootstrap", "--inventory", inventory, "--yes", "--output", "json"];
    const command = { argv: [process.execPath, bin, ...args] as const, cwd: folder };
    const { ms, cpuMs } = await measure(command, RUN_MS);
    return { ms: Math.round(ms), cpuMs };
  } finally {
    await lab.down();
    await rm(folder, { recursive: true });
  }
}
