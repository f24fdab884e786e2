import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { PlaybookError } from "#engine/errors/error.ts";
import { orMissing } from "./machine/files.ts";
import { end, identify, isAlive } from "./machine/processes.ts";
import { until } from "./machine/until.ts";
import type { LabService } from "./service.ts";
import type { ProcessIdentity, ServiceState } from "./state/state.ts";

const READY_SECONDS = 30;
const GRACE_SECONDS = 5;

/**
 * Starts a service that outlives this command, and waits until it answers. Give `record` to note the process before the
 * wait: a command that is killed meanwhile then leaves a service that `lab down` finds.
 */
export async function startService(
  service: LabService,
  log: string,
  record: (state: ServiceState) => Promise<void> = async () => undefined,
): Promise<ServiceState> {
  const process = await launch(service, log);
  const { readyUrl } = service;
  const state = { process, log, readyUrl, fingerprint: serviceFingerprint(service) };
  await record(state);
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

async function launch(service: LabService, log: string): Promise<ProcessIdentity> {
  await mkdir(dirname(log), { recursive: true, mode: 0o700 });
  const output = await open(log, "a", 0o600);
  const [program, ...args] = service.command;
  try {
    const child = spawn(program, args, {
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
  } catch (cause) {
    throw failed(service.name, `\`${program}\` cannot be run`, [], { cause });
  } finally {
    await output.close();
  }
  throw failed(service.name, "it ended at once", await logEnd(log));
}

function failed(name: string, why: string, output: string[], options?: ErrorOptions) {
  return new PlaybookError("PB_LAB_SERVICE_FAILED", [name, why], { output }, options);
}

async function logEnd(log: string): Promise<string[]> {
  const text = (await orMissing(readFile(log, "utf8"))) ?? "";
  return text.trimEnd().split("\n").slice(-20);
}
