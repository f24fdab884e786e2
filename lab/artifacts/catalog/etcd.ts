import { join } from "node:path";
import type { Arch, Artifact, Workshop } from "../artifact.ts";
import { type Entry, type EntryKey, obtainEntry } from "../cache.ts";
import { goBuild } from "../go/build.ts";
import { writeWrapper } from "../go/module.ts";
import { findGo } from "../go/toolchain.ts";
import { archivedPrograms } from "./archives.ts";

const PACKAGES = {
  etcd: "go.etcd.io/etcd/server/v3",
  etcdctl: "go.etcd.io/etcd/etcdctl/v3",
  etcdutl: "go.etcd.io/etcd/etcdutl/v3",
} as const;

/** etcd with etcdctl and etcdutl, in upstream's archive. */
export function etcdArtifact(version: string, arch: Arch): Artifact {
  const folder = `etcd-${version}-linux-${arch}`;
  const release = `github.com/etcd-io/etcd/releases/download/${version}`;
  return archivedPrograms({
    name: "etcd",
    version,
    file: { path: `${release}/${folder}.tar.gz`, checksums: `${release}/SHA256SUMS` },
    prefix: `${folder}/`,
    buildMs: 33_000,
    async programs(go, workshop, dir) {
      const { dir: cwd } = await moduleOf(version, workshop);
      for (const [name, program] of Object.entries(PACKAGES))
        await goBuild(go, { cwd, packages: [program], output: join(dir, name) });
    },
  });
}

/** The cache entry of the module that they are built in. */
export const etcdModuleKey = (version: string, arch: Arch): EntryKey => ({
  name: "etcd-module",
  version,
  arch,
});

// etcd's parts are modules that replace each other by folders: only a module around them builds from releases.
const moduleOf = (version: string, workshop: Workshop): Promise<Entry> =>
  obtainEntry(workshop, etcdModuleKey(version, workshop.arch), async (dir) => {
    const go = await findGo(workshop, `etcd-module ${version}`);
    const { etcd, etcdctl, etcdutl } = PACKAGES;
    await writeWrapper(
      go,
      {
        name: "etcd",
        requires: [etcd, etcdctl, etcdutl],
        version,
        tools: [etcd, etcdctl, etcdutl],
      },
      dir,
    );
    return "resolved by go";
  });
