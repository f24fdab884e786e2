/** The programs that give pods their network. */
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

export const cniPlugins = defineModule({
  name: "cni-plugins",
  summary: "Keep the CNI reference plugins (ptp, bridge, host-local, portmap, …) at a version.",
  example: `use.cniPlugins({ version: "v1.9.1" })`,
  params: z.strictObject({
    version: Version.describe("With its v."),
    ...ReleaseParams,
    only: z
      .array(z.string().regex(/^\w[\w.-]*$/))
      .default(["ptp", "bridge", "host-local", "portmap", "loopback", "tuning", "firewall"])
      .describe("Which plugins; names as in the archive."),
  }),

  async read(host, want) {
    const base = `github.com/containernetworking/plugins/releases/download/${want.version}`;
    const file = `cni-plugins-linux-${releaseArch(host)}-${want.version}.tgz`;
    return {
      releases: await readReleases(host, want, [
        {
          from: `${base}/${file}`,
          sums: `${base}/${file}.sha256`,
          path: "/opt/cni/bin",
          unpack: { strip: 0, only: want.only.map((name) => `./${name}`) },
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
