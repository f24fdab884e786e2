import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PlaybookError } from "#engine/errors/error.ts";
import { identify, isAlive } from "#engine/host/process-identity.ts";
import { orMissing } from "./machine/files.ts";
import { end } from "./machine/processes.ts";
import { together } from "./machine/together.ts";
import { until } from "./machine/until.ts";
import type { LabService } from "./service.ts";
import { ProcessIdentity, type ServiceState } from "./state/state.ts";

const READY_SECONDS = 30;
const GRACE_SECONDS = 5;

// Notes who it is before it becomes the service: no moment in which it runs and nobody knows of it.
const NOTE_AND_BECOME = `
note=$1; shift
read -r boot </proc/sys/kernel/random/boot_id
started=$(cut -d " " -f 22 "/proc/$$/stat")
printf '{"pid":%s,"started":"%s/%s"}' "$$" "$boot" "$started" >"$note.draft"
mv "$note.draft" "$note"
exec "$@"`;
const NOTE = ".process.json";

/** Starts a service that outlives this command, and waits until it answers. Its log and note are kept in the folder. */
export async function startService(service: LabService, folder: string): Promise<ServiceState> {
  const log = join(folder, `${service.name}.log`);
  const process = await launch(service, log, join(folder, service.name + NOTE));
  const { readyUrl } = service;
  const state = { process, log, readyUrl, fingerprint: serviceFingerprint(service) };
  const outcome = await until(
    async () => {
      if (!(await isAlive(process))) return "ended";
      return (await answers(readyUrl)) ? "ready" : undefined;
    },
    { seconds: READY_SECONDS, every: 50 },
  );
  if (outcome === "ready") return state;
  await stopService(state);
  const why = outcome === "ended" ? "it ended" : `no answer at ${readyUrl} in ${READY_SECONDS} s`;
  throw failed(service.name, why, await logEnd(log));
}

/** Ends a service; one that is gone, or whose number another process has by now, is left alone. */
export async function stopService(state: ServiceState): Promise<void> {
  await end(state.process, GRACE_SECONDS);
}

/** Ends every service that has a note in the folder, whether or not a state knows it. */
export async function stopNotedServices(folder: string): Promise<void> {
  const names = (await orMissing(readdir(folder))) ?? [];
  await together(
    names.filter((name) => name.endsWith(NOTE)),
    async (name) => {
      const note = await readFile(join(folder, name), "utf8");
      await end(ProcessIdentity.parse(JSON.parse(note)), GRACE_SECONDS);
    },
  );
}

/** Tells two definitions of a service apart, so that a changed one is started anew. */
export function serviceFingerprint({ command, env, readyUrl }: LabService): string {
  const content = JSON.stringify({ command, env, readyUrl });
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

/** True when the service answers: 2xx, or 401 where it wants a login first. */
export async function answers(url: string, timeoutMs = 1000): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return response.ok || response.status === 401;
  } catch (error) {
    // Refused, reset or late: not up yet. A URL that cannot be one is a bug and throws.
    if (URL.canParse(url)) return false;
    throw error;
  }
}

async function launch(service: LabService, log: string, note: string): Promise<ProcessIdentity> {
  await mkdir(dirname(log), { recursive: true, mode: 0o700 });
  const output = await open(log, "a", 0o600);
  try {
    const child = spawn("sh", ["-c", NOTE_AND_BECOME, "sh", note, ...service.command], {
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
      env: { ...process.env, ...service.env },
      cwd: "/",
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", () => resolve(child.pid ?? 0));
    });
    child.unref();
    const identity = await identify(pid);
    if (identity) return identity;
  } finally {
    await output.close();
  }
  throw failed(service.name, "it ended at once", await logEnd(log));
}

function failed(name: string, why: string, output: string[]) {
  return new PlaybookError("PB_LAB_SERVICE_FAILED", [name, why], { output });
}

async function logEnd(log: string): Promise<string[]> {
  const text = (await orMissing(readFile(log, "utf8"))) ?? "";
  return text.trimEnd().split("\n").slice(-20);
}
