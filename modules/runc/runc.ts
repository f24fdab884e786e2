/** The program that starts containers. */
import { z } from "zod";
import { defineModule } from "#engine/index.ts";
import { FilePath } from "../params.ts";
import {
  keepReleases,
  ReleaseParams,
  readReleases,
  releaseArch,
  undoReleases,
  Version,
} from "../release.ts";

export const runc = defineModule({
  name: "runc",
  summary: "Keep runc, the program that starts containers, at a version.",
  example: `use.runc({ version: "v1.3.3" })`,
  params: z.strictObject({
    version: Version.describe("With its v."),
    ...ReleaseParams,
    path: FilePath.default("/usr/local/sbin/runc").describe("Where it is put."),
  }),

  async read(host, want) {
    const base = `github.com/opencontainers/runc/releases/download/${want.version}`;
    return {
      releases: await readReleases(host, want, [
        {
          from: `${base}/runc.${releaseArch(host)}`,
          sums: `${base}/runc.sha256sum`,
          path: want.path,
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
