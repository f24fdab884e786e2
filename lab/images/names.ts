import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ifPresent } from "../artifacts/absent.ts";
import type { Arch, Workshop } from "../artifacts/artifact.ts";
import { type EntryKey, entryDir, obtainEntry } from "../artifacts/cache.ts";
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
  const key = imageNamesKey(versions, workshop.arch);
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
    await writeFile(join(dir, FILE), `${JSON.stringify(names, null, 2)}\n`);
    return "kubeadm and agnhost";
  });
  return allNames(await readFile(join(entry.dir, FILE), "utf8"), versions);
}

/** The same as far as it was asked before: undefined where it never was. */
export async function knownImageNames(
  versions: LabVersions,
  { home, arch }: Pick<Workshop, "home" | "arch">,
): Promise<readonly string[] | undefined> {
  const file = join(entryDir(home, imageNamesKey(versions, arch)), FILE);
  const text = await ifPresent(readFile(file, "utf8"));
  return text === undefined ? undefined : allNames(text, versions);
}

/** The cache entry of the answers. */
export const imageNamesKey = ({ kubernetes }: LabVersions, arch: Arch): EntryKey => ({
  name: "image-names",
  version: kubernetes,
  arch,
});

const FILE = "names.json";

const allNames = (text: string, { flannel }: LabVersions): readonly string[] => [
  ...Names.parse(JSON.parse(text)),
  `ghcr.io/flannel-io/flannel:${flannel}`,
];

const agnhostName = (printed: string): string => {
  const version = /(\d+\.\d+(?:\.\d+)?)\s*$/.exec(printed)?.[1];
  if (version === undefined) throw new Error(`agnhost --version printed "${printed}"`);
  return `registry.k8s.io/e2e-test-images/agnhost:${version}`;
};
