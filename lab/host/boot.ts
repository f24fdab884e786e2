import { spawn } from "node:child_process";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import { sh } from "#engine/host/command.ts";
import { identify, isAlive } from "#engine/host/process-identity.ts";
import { orMissing, readText } from "../machine/files.ts";
import { run } from "../machine/run.ts";
import { until } from "../machine/until.ts";
import type { HostPaths } from "../state/paths.ts";
import type { ProcessIdentity } from "../state/state.ts";
import { readiness } from "./answers.ts";
import { nspawnOf } from "./inside.ts";
import { type Launch, launchCommand, launchEnvironment } from "./launch.ts";

const READY_SECONDS = 60;

/** Makes an empty disk of the given size: sparse, so it takes only what the host writes. */
export async function makeDisk(paths: HostPaths, size: string): Promise<void> {
  await rm(paths.image, { force: true });
  await mkdir(paths.folder, { recursive: true, mode: 0o700 });
  await run(sh`truncate --size ${size} ${paths.image}`);
  await run(sh`mkfs.ext4 -q -F -m 0 -L lab ${paths.image}`);
}

/** Powers a host on; gives its keeper as soon as that runs, which is long before the host answers. */
export async function powerOn(launch: Launch): Promise<ProcessIdentity> {
  const { paths, host } = launch;
  for (const folder of [paths.disk, paths.root]) await mkdir(folder, { recursive: true });
  const log = await open(paths.console, "a", 0o600);
  try {
    const [program, ...args] = launchCommand(launch);
    // A session of its own: the host outlives the command that started it, and its terminal's Ctrl-C.
    const child = spawn(program, args, {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: launchEnvironment,
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", () => resolve(child.pid ?? 0));
    });
    child.unref();
    const process = await identify(pid);
    if (process) return process;
  } finally {
    await log.close();
  }
  throw new PlaybookError("PB_LAB_HOST_DOWN", [host, "it ended at once"], {
    host,
    output: await consoleEnd(paths),
  });
}

/**
 * Waits until the host answers ssh at the address, or says how far it came. Where the network is at fault on purpose
 * there is no address to ask: a server that listens is all that can be seen then.
 */
export async function waitReady(
  launch: Launch,
  process: ProcessIdentity,
  address: string | undefined,
): Promise<void> {
  let seen = "nothing yet";
  const outcome = await until(
    async () => {
      if (!(await isAlive(process))) return "ended";
      const nspawn = await nspawnOf(process.pid, launch.machine);
      if (nspawn === undefined) return undefined;
      seen = await readiness(nspawn, address);
      return seen === "ready" ? seen : undefined;
    },
    { seconds: READY_SECONDS, every: 50 },
  );
  if (outcome === "ready") return;
  const { host, paths } = launch;
  const why =
    outcome === "ended"
      ? "its process ended"
      : address === undefined
        ? seen
        : `${seen} at [${address}]:22`;
  throw new PlaybookError("PB_LAB_HOST_NOT_READY", [host, READY_SECONDS, why], {
    host,
    output: await consoleEnd(paths),
  });
}

/** Writes what chpasswd reads at the first boot; beside the seed, for the seed is copied whole. */
export async function writePassword(paths: HostPaths, user: string, password: string) {
  await writeFile(`${paths.seed}.password`, `${user}:${password}\n`, { mode: 0o600 });
}

async function consoleEnd(paths: HostPaths): Promise<string[]> {
  const text = (await orMissing(readText(paths.console))) ?? "";
  // The console is a terminal's: drop colours and cursor moves.
  const plain = text.replaceAll(/\u001B\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "");
  return plain.split("\n").slice(-20);
}
