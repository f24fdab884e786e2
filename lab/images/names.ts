import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Workshop } from "../artifacts/artifact.ts";
import { obtainEntry } from "../artifacts/cache.ts";
import { runProgram } from "../artifacts/program.ts";
import type { LabVersions } from "../versions.ts";

const Names = z.array(z.string()).nonempty();

interface Asked {
  readonly versions: LabVersions;
  /** The programs that know the names; paths. */
  readonly kubeadm: string;
  readonly agnhost: string;
}

/** Every image that a lab's cluster pulls, by its full name: asked from the programs themselves, once per version. */
export async function imageNames(asked: Asked, workshop: Workshop): Promise<readonly string[]> {
  const { versions, kubeadm, agnhost } = asked;
  const key = { name: "image-names", version: versions.kubernetes, arch: workshop.arch };
  const entry = await obtainEntry(workshop, key, async (dir) => {
    const ask = (argv: [string, ...string[]]) =>
      runProgram(
        { argv },
        {
          signal: workshop.signal,
          purpose: "learn the names of images",
          logFile: join(workshop.home, "logs", "image-names.log"),
          timeoutMs: 30_000,
        },
      );
    const version = `--kubernetes-version=${versions.kubernetes}`;
    const kubernetes = await ask([kubeadm, "config", "images", "list", version]);
    const names = [
      ...kubernetes.split("\n").filter(Boolean),
      agnhostName(await ask([agnhost, "--version"])),
    ];
    await writeFile(join(dir, "names.json"), `${JSON.stringify(names, null, 2)}\n`);
    return "kubeadm and agnhost";
  });
  const names = Names.parse(JSON.parse(await readFile(join(entry.dir, "names.json"), "utf8")));
  return [...names, `ghcr.io/flannel-io/flannel:${versions.flannel}`];
}

const agnhostName = (printed: string): string => {
  const version = /(\d+\.\d+(?:\.\d+)?)\s*$/.exec(printed)?.[1];
  if (version === undefined) throw new Error(`agnhost --version printed "${printed}"`);
  return `registry.k8s.io/e2e-test-images/agnhost:${version}`;
};
