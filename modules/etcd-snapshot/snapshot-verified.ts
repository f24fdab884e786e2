/** Whether there is a snapshot that a restore could start from. */
import { z } from "zod";
import { defineProbe, sh } from "#engine/index.ts";
import { jsonOf } from "../answer.ts";
import { lastLine } from "../kubectl.ts";
import { AbsolutePath } from "../params.ts";
import { newestSnapshot } from "./newest-snapshot.ts";

const Status = z.object({ revision: z.number(), totalKey: z.number(), totalSize: z.number() });

export const snapshotVerified = defineProbe({
  name: "snapshot-verified",
  summary: "The newest etcd snapshot agrees with its sha256, and etcdutl can read it.",
  example: `use.snapshotVerified({ dir: "/var/backups/etcd" })`,
  params: z.strictObject({
    dir: AbsolutePath.default("/var/backups/etcd").describe("The folder on the host."),
  }),

  async check(host, want) {
    const { path, sha256 } = await newestSnapshot(host, want.dir);
    if (path === "") return { holds: false, saw: `no snapshot in ${want.dir} of ${host.name}` };
    if (sha256 === "")
      return { holds: false, saw: `${path} is not what ${path}.sha256 says: take a new one` };
    const { code, stdout, stderr } = await host.run(sh`etcdutl snapshot status ${path} -w json`);
    if (code !== 0)
      return { holds: false, saw: `etcdutl cannot read ${path}: ${lastLine(stderr)}` };
    const { revision, totalKey, totalSize } = jsonOf("etcdutl snapshot status", Status, stdout);
    const size = `${(totalSize / 1_048_576).toFixed(1)} MiB`;
    return { holds: totalKey > 0, saw: `${path}: revision ${revision}, ${totalKey} keys, ${size}` };
  },
});
