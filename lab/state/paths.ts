import { join } from "node:path";
import { cacheHome, stateHome } from "#engine/host/xdg.ts";

/** Where a lab keeps its things: the cache is shared by all labs, the rest is the lab's own and goes with it. */
export interface LabPaths {
  readonly labs: string;
  readonly folder: string;
  readonly state: string;
  readonly lock: string;
  readonly identity: string;
  readonly knownHosts: string;
  /** Logs and notes of the services. */
  readonly services: string;
  readonly sudoPassword: string;
  host(name: string): HostPaths;
}

/** One host's folder. `disk` and `root` are mount points that only the host's own processes see mounted. */
export interface HostPaths {
  readonly folder: string;
  readonly image: string;
  readonly seed: string;
  readonly disk: string;
  readonly root: string;
  readonly console: string;
  /** Script that gives the host a fresh network at each boot after the first. */
  readonly replug: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What outlives a lab: bases, packages, timings. */
export const cacheFolder = (env: Environment = process.env): string =>
  join(cacheHome(env), "run-playbook");

export function labPaths(lab: string, env: Environment = process.env): LabPaths {
  const labs = join(stateHome(env), "run-playbook", "labs");
  const folder = join(labs, lab);
  const inside = (...parts: string[]) => join(folder, ...parts);
  return {
    labs,
    folder,
    state: inside("state.json"),
    // Beside the folder, for the folder comes and goes under the lock.
    lock: join(labs, `${lab}.lock`),
    identity: inside("id_ed25519"),
    knownHosts: inside("known_hosts"),
    services: inside("services"),
    sudoPassword: inside("opspw.password"),
    host: (name) => ({
      folder: inside("hosts", name),
      image: inside("hosts", name, "disk.img"),
      seed: inside("hosts", name, "seed"),
      disk: inside("hosts", name, "disk"),
      root: inside("hosts", name, "root"),
      console: inside("hosts", name, "console.log"),
      replug: inside("hosts", name, "replug.sh"),
    }),
  };
}
