/** A copy of all that the cluster knows. */
import { access, constants, stat } from "node:fs/promises";
import { z } from "zod";
import {
  defineModule,
  download,
  isPlaybookError,
  PlaybookError,
  run,
  script,
} from "#engine/index.ts";
import { AbsolutePath } from "../params.ts";
import { sha256OfLocal } from "../remote-file/local-file.ts";
import { newestSnapshot, OWN_NAMES } from "./newest-snapshot.ts";

const Params = z.strictObject({
  dir: AbsolutePath.default("/var/backups/etcd").describe("The folder on the host."),
  maxAgeHours: z
    .number()
    .default(24)
    .describe("An older newest snapshot is followed by a new one."),
  keep: z
    .int()
    .min(1)
    .default(7)
    .describe("How many stay on the host, of those that this module made."),
  fetchTo: z
    .string()
    .optional()
    .describe(
      "A folder of the control machine, which is there, to which the newest is fetched, mode 0600.",
    ),
});

export const etcdSnapshot = defineModule({
  name: "etcd-snapshot",
  summary: "Keep a fresh snapshot of etcd, checked by etcdutl, with its sha256 beside it.",
  lasting: "a snapshot that was taken is kept",
  example: `use.etcdSnapshot({ maxAgeHours: 24, fetchTo: "backups" })`,
  params: Params,
  outputs: z.object({
    path: z.string().optional(),
    sha256: z.string().optional(),
  }),

  async read(host, want) {
    if (want.fetchTo !== undefined) await refuseNoFolder(want.fetchTo);
    const newest = await newestSnapshot(host, want.dir);
    const good = newest.sha256 !== "" && newest.ageSeconds < want.maxAgeHours * 3600;
    const fetched =
      want.fetchTo === undefined || !good
        ? undefined
        : await localSha(`${want.fetchTo}/${host.name}-${nameOf(newest.path)}`);
    return {
      host: host.name,
      clock: newest.clock,
      newest,
      good,
      fetched,
      ...(good ? { path: newest.path, sha256: newest.sha256 } : {}),
    };
  },

  *diff(now, want) {
    const path = now.good ? now.newest.path : `${want.dir}/etcd-${stamp(now.clock)}.db`;
    if (!now.good)
      yield run(script(SAVE, path, want.keep), `snapshot: ${describe(now.newest)} → ${path}`, {
        timeout: "10m",
      });
    else if (now.newest.count > want.keep)
      yield run(
        script(PRUNE, path, want.keep),
        `snapshots: ${now.newest.count} → the newest ${want.keep}`,
      );
    if (want.fetchTo !== undefined && (!now.good || now.fetched !== now.newest.sha256))
      yield download(path, `${want.fetchTo}/${now.host}-${nameOf(path)}`);
  },
});

const ONLY_NEWEST = `ls -1t ${OWN_NAMES} | grep -vxF "\${1##*/}" | tail -n +"$2" | while read -r old; do rm -f "$old" "$old.sha256"; done`;

const PRUNE = `# etcd-snapshot-prune
set -e
cd "\${1%/*}"
${ONLY_NEWEST}`;

// Under its name only once etcdutl has read it through. Snapshots hold every Secret: nobody else may read them.
const SAVE = `# etcd-snapshot-save
set -e
umask 077
dir=\${1%/*}
mkdir -p "$dir"
part=$1.part
trap 'rm -f "$part"' EXIT
pki=/etc/kubernetes/pki/etcd
etcd() {
  etcdctl --endpoints 'https://[::1]:2379' --cacert $pki/ca.crt --cert $pki/healthcheck-client.crt \\
    --key $pki/healthcheck-client.key "$@"
}
etcd endpoint health >/dev/null
etcd snapshot save "$part" >/dev/null
etcdutl snapshot status "$part" >/dev/null
mv "$part" "$1"
cd "$dir"
sha256sum "\${1##*/}" >"$1.sha256"
sync "$1" "$1.sha256"
${ONLY_NEWEST}`;

/** "20261124-183000", in UTC. */
const stamp = (clock: number): string =>
  new Date(clock * 1000).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

const describe = ({ path, sha256, ageSeconds }: Awaited<ReturnType<typeof newestSnapshot>>) => {
  if (path === "") return "none";
  if (sha256 === "") return `${path} is damaged`;
  return `the newest is ${Math.round(ageSeconds / 3600)} h old`;
};

/** A copy that cannot be kept is no reason to find out after the snapshot was taken. @throws PB_LOCAL_FILE */
async function refuseNoFolder(path: string): Promise<void> {
  const refused = (why: string, cause?: unknown) =>
    new PlaybookError("PB_LOCAL_FILE", [path, why], { state: "nothing was changed" }, { cause });
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw refused(error.code === "ENOENT" ? "it is not there" : error.message, error);
  });
  if (!there.isDirectory()) throw refused("it is no folder");
  await access(path, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw refused("it may not be written to", error);
  });
}

async function localSha(path: string): Promise<string | undefined> {
  try {
    return await sha256OfLocal(path);
  } catch (error) {
    const cause = isPlaybookError(error) ? (error.cause as NodeJS.ErrnoException) : undefined;
    if (cause?.code === "ENOENT") return undefined;
    throw error;
  }
}
