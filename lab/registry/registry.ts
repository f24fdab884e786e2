import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Command } from "#engine/host/command.ts";
import { unpackMember } from "../artifacts/archive.ts";
import type { Arch, Obtained, Workshop } from "../artifacts/artifact.ts";
import { type EntryKey, obtainEntry } from "../artifacts/cache.ts";
import { linkMirror } from "../artifacts/mirror-tree.ts";
import { onlyFile } from "../images/images.ts";
import type { LabService } from "../service.ts";

/** Address and port differ between labs and are given by the environment; everything else is here. */
const CONFIG = {
  version: "0.1",
  log: { level: "info", formatter: "text", accesslog: { disabled: true } },
  // No cache of blob descriptors: several labs may serve the same folder at once.
  storage: { filesystem: { rootdirectory: "" }, delete: { enabled: false } },
  http: { addr: "[::1]:5000", headers: { "X-Content-Type-Options": ["nosniff"] } },
};

/** The cache entry of the unpacked program. */
export const registryProgramKey = (version: string, arch: Arch): EntryKey => ({
  name: "registry-program",
  version,
  arch,
});

/** Makes the folder that a registry runs in: its program, its configuration, and what was pushed to it. */
export async function prepareRegistry(
  dir: string,
  registry: Obtained,
  workshop: Workshop,
): Promise<void> {
  const key = registryProgramKey(registry.artifact.version, workshop.arch);
  const program = await obtainEntry(workshop, key, async (made) => {
    const archive = onlyFile(registry);
    if (!(await unpackMember(archive, "registry", join(made, "registry"))))
      throw new Error(`${archive} holds no registry`);
    return registry.entry.source;
  });
  await mkdir(join(dir, "storage"), { recursive: true });
  await linkMirror(dir, [program]);
  // Renamed into place: a registry of another lab may be starting from it right now.
  const beside = join(dir, `config.yml.${process.pid}`);
  await writeFile(beside, stringify(CONFIG));
  await rename(beside, join(dir, "config.yml"));
}

export interface ServiceSettings {
  /** A plain IPv6 address of this machine. */
  readonly address: string;
  readonly port: number;
  readonly dir: string;
}

/** The lab's image registry: plain HTTP on the lab's own network. */
export function registryService({ address, port, dir }: ServiceSettings): LabService {
  return {
    name: "registry",
    command: [join(dir, "registry"), "serve", join(dir, "config.yml")],
    env: {
      // Read as YAML, where bare brackets would be a list.
      REGISTRY_HTTP_ADDR: JSON.stringify(`[${address}]:${port}`),
      ...environment(dir),
    },
    readyUrl: `http://[${address}]:${port}/v2/`,
  };
}

const environment = (dir: string) => ({
  REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: join(dir, "storage"),
  // It would otherwise look for a collector of traces.
  OTEL_TRACES_EXPORTER: "none",
});

/** Removes what no tag leads to. Nobody may push meanwhile. */
export const collectGarbage = (dir: string): Command => ({
  argv: [
    join(dir, "registry"),
    "garbage-collect",
    "--delete-untagged",
    "--quiet",
    join(dir, "config.yml"),
  ],
  env: environment(dir),
});
