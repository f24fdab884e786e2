import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Arch, type Artifact, ownFile, type Workshop } from "../artifact.ts";
import { type Entry, type EntryKey, obtainEntry } from "../cache.ts";
import { goBuild } from "../go/build.ts";
import { downloadModule, writeWrapper } from "../go/module.ts";
import { findGo } from "../go/toolchain.ts";

/** In the order of building; the times count what the ones before them left in go's cache. */
const PROGRAMS = {
  kubeadm: 132_000,
  kubectl: 20_000,
  kubelet: 138_000,
  "kube-apiserver": 84_000,
  "kube-controller-manager": 31_000,
  "kube-scheduler": 6_000,
  "kube-proxy": 8_000,
} as const;

type KubernetesProgram = keyof typeof PROGRAMS;

const AGNHOST = "k8s.io/kubernetes/test/images/agnhost";

/** Kubernetes' own programs, and agnhost, its network test program, which upstream publishes only as an image. */
export function kubernetesArtifacts(version: string, arch: Arch) {
  const programs = Object.fromEntries(
    (Object.keys(PROGRAMS) as KubernetesProgram[]).map((name) => [
      name,
      programArtifact(name, version, arch),
    ]),
  ) as Record<KubernetesProgram, Artifact>;
  return { ...programs, agnhost: agnhostArtifact(version, arch) };
}

function programArtifact(name: KubernetesProgram, version: string, arch: Arch): Artifact {
  const path = `dl.k8s.io/release/${version}/bin/linux/${arch}/${name}`;
  return {
    name,
    version,
    files: [{ path, checksums: `${path}.sha256` }],
    released: true,
    buildMs: PROGRAMS[name],
    async build(workshop, dir) {
      const { dir: cwd } = await moduleOf(version, workshop);
      const go = await findGo(workshop, `${name} ${version}`);
      const packages = [`k8s.io/kubernetes/cmd/${name}`];
      await goBuild(go, { cwd, packages, output: join(dir, path), values: versionValues(version) });
    },
  };
}

function agnhostArtifact(version: string, arch: Arch): Artifact {
  const file = ownFile("agnhost", version, arch);
  return {
    name: "agnhost",
    version,
    files: [file],
    released: false,
    buildMs: 30_000,
    async build(workshop, dir) {
      const { dir: cwd } = await moduleOf(version, workshop);
      const go = await findGo(workshop, `agnhost ${version}`);
      const { Dir } = await downloadModule(go, "k8s.io/kubernetes", version);
      // Its own version is the tag of its image.
      const own = await readFile(join(Dir, "test/images/agnhost/VERSION"), "utf8");
      const values = { "main.Version": own.trim() };
      await goBuild(go, { cwd, packages: [AGNHOST], output: join(dir, file.path), values });
    },
  };
}

/** The cache entry of the module that all of them are built in. */
export const kubernetesModuleKey = (version: string, arch: Arch): EntryKey => ({
  name: "kubernetes-module",
  version,
  arch,
});

// One module for all of them: what they share is compiled once.
const moduleOf = (version: string, workshop: Workshop): Promise<Entry> =>
  obtainEntry(workshop, kubernetesModuleKey(version, workshop.arch), async (dir) => {
    const go = await findGo(workshop, `kubernetes-module ${version}`);
    const commands = Object.keys(PROGRAMS).map((name) => `k8s.io/kubernetes/cmd/${name}`);
    await writeWrapper(
      go,
      {
        name: "kubernetes",
        requires: ["k8s.io/kubernetes"],
        version,
        tools: [...commands, AGNHOST],
        // v1.36.3 keeps its libraries' v0.36.3.
        nestedVersion: version.replace(/^v1\./, "v0."),
      },
      dir,
    );
    return "resolved by go";
  });

// kubeadm and kubelet compare versions with each other: a program must know its own.
function versionValues(version: string): Record<string, string> {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const values: Record<string, string> = {
    "k8s.io/client-go/pkg/version.gitVersion": version,
  };
  const base = "k8s.io/component-base/version";
  values[`${base}.gitVersion`] = version;
  values[`${base}.gitMajor`] = major;
  values[`${base}.gitMinor`] = minor;
  values[`${base}.gitTreeState`] = "clean";
  return values;
}
