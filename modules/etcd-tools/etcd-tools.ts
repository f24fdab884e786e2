/** etcd's own tools on the host, for health, snapshots and recovery. */
import { z } from "zod";
import { defineModule } from "#engine/index.ts";
import {
  keepReleases,
  ReleaseParams,
  readReleases,
  releaseArch,
  undoReleases,
  Version,
} from "../release.ts";

export const etcdTools = defineModule({
  name: "etcd-tools",
  summary: "Keep etcdctl and etcdutl at a version; the etcd server itself is a static pod.",
  example: `use.etcdTools({ version: "v3.6.8" })`,
  params: z.strictObject({
    version: Version.describe("With its v; that of the server, or near it."),
    ...ReleaseParams,
  }),

  async read(host, want) {
    const base = `github.com/etcd-io/etcd/releases/download/${want.version}`;
    const folder = `etcd-${want.version}-linux-${releaseArch(host)}`;
    return {
      releases: await readReleases(host, want, [
        {
          from: `${base}/${folder}.tar.gz`,
          sums: `${base}/SHA256SUMS`,
          path: "/usr/local/bin",
          unpack: { strip: 1, only: [`${folder}/etcdctl`, `${folder}/etcdutl`] },
        },
      ]),
    };
  },

  *diff(now) {
    yield* keepReleases(now.releases);
  },

  *undo(before, now) {
    yield* undoReleases(before.releases, now.releases);
  },
});
