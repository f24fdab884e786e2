import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { PlaybookError } from "#engine/errors/error.ts";
import { HostFaults, LineFault } from "../faults/fault-state.ts";

/** A process that cannot be mistaken for a later one with the same number. */
export const ProcessIdentity = z.strictObject({
  pid: z.int().positive(),
  /** Boot id of the machine and start time in clock ticks. */
  started: z.string(),
});
export type ProcessIdentity = z.output<typeof ProcessIdentity>;

const HostState = z.strictObject({
  /** Its place in the address plan, for as long as the lab lives. */
  index: z.int().positive(),
  power: z.enum(["on", "off"]),
  /** The host's keeper; absent before the first boot. */
  process: ProcessIdentity.optional(),
  faults: HostFaults.optional(),
});
export type HostState = z.output<typeof HostState>;

const ServiceState = z.strictObject({
  process: ProcessIdentity,
  log: z.string(),
  readyUrl: z.string(),
  /** Of its command and environment: another fingerprint means another service. */
  fingerprint: z.string(),
});
export type ServiceState = z.output<typeof ServiceState>;

const LabState = z.strictObject({
  version: z.literal(1),
  name: z.string(),
  dualStack: z.boolean(),
  /** Size of each disk, as truncate takes it. */
  disk: z.string(),
  /** Folder of the Debian root that all hosts stand on. */
  base: z.string(),
  hosts: z.record(z.string(), HostState),
  services: z.record(z.string(), ServiceState),
  /** On the one cable between the machine and all hosts. */
  cableFault: LineFault.optional(),
});
export type LabState = z.output<typeof LabState>;

/** The state from its JSON text. */
export function parseState(text: string, file: string): LabState {
  try {
    return LabState.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new PlaybookError("PB_LAB_STATE", [file, why], {}, { cause });
  }
}

/** The state on disk, or undefined when there is no such lab. */
export async function readState(file: string): Promise<LabState | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : parseState(text, file);
}

/** Writes the state whole or not at all: a reader never sees half of it. */
export async function writeState(file: string, state: LabState): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeWhole(file, `${JSON.stringify(state, null, 2)}\n`);
}

/** Replaces a file in one step. */
export async function writeWhole(file: string, content: string, mode = 0o600): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, content, { mode, flush: true });
  await rename(draft, file);
}
