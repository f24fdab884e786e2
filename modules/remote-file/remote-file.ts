/**
 * A file, or a tar archive's content, that comes from somewhere else: from a web address that the host itself fetches
 * (with curl, wget or python3, whichever it has), or from the control machine. It is put in place only once its sha256
 * agreed, and checked again in every run: a binary that was deleted or overwritten is put back.
 *
 * For one binary give `path` and `mode`. For an archive give `unpack`; `path` is then the folder, and the files keep
 * the archive's own modes. What an archive brought is recorded under /var/lib/run-playbook/remote-file, so a newer
 * version of it removes what the older one left over. A converged host asks the network nothing, with `sha256Url` too:
 * what is behind a given `url` is taken to stay the same, as it is where versions are part of addresses.
 */
import { z } from "zod";
import {
  type Change,
  defineModule,
  type Host,
  makeDirectory,
  PlaybookError,
  remove,
  run,
  script,
  setAttributes,
  upload,
} from "#engine/index.ts";
import { attributeDifference, lackingFolders } from "../managed-file.ts";
import { sha256OfLocal } from "./local-file.ts";
import { Params, type Unpacking, type Want } from "./params.ts";
import {
  fetching,
  folderOf,
  type Now,
  nameOf,
  recordOf,
  sourceOf,
  store,
  wantedSha,
} from "./place.ts";
import { CLEAR, STATE, UNPACK } from "./scripts.ts";
import { membersOf, undoPlain, undoUnpacked } from "./undo.ts";

export const remoteFile = defineModule({
  name: "remote-file",
  summary:
    "Keep a file, or what a tar archive holds, as it is at a web address or on the control machine.",
  example: `use.remoteFile({
  path: "/usr/local/bin/kubelet",
  url: "https://dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet",
  sha256Url: "https://dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet.sha256",
  mode: 0o755,
})`,
  params: Params,

  outputs: z.object({
    sha256: z.string().optional().describe("Of what is in place; undefined where nothing is."),
  }),

  async read(host, want) {
    const { path, unpack } = want;
    const home = unpack === undefined ? folderOf(path) : path;
    const [printed, stat, homeStat, isSha, fromSha] = await Promise.all([
      host.text(script(STATE, home, recordOf(want))),
      host.stat(path),
      host.stat(home),
      // A directory rejects here; its stat gives the better error below.
      unpack === undefined ? host.sha256(path).catch((error: Error) => error) : undefined,
      want.from === undefined ? undefined : sha256OfLocal(want.from),
    ]);
    if (stat?.kind === "directory" && unpack === undefined)
      throw new PlaybookError("PB_WRONG_KIND", [path, "directory", "file"], { host: host.name });
    if (isSha instanceof Error) throw isSha;
    const [tool = "none", url = "", sha = "", broken = "", unpacked = ""] = printed.split("\n");
    return {
      tool,
      stat,
      lacks: homeStat === undefined ? await lackingFolders(host, `${home}/x`) : [],
      overwrites: sha === "" && homeStat !== undefined ? await thereOf(host, membersOf(want)) : [],
      recorded:
        sha === "" ? undefined : { url, sha, broken: broken.replace(/: FAILED.*$/, ""), unpacked },
      fromSha,
      sha256: unpack === undefined ? isSha : sha || undefined,
    };
  },

  *diff(now, want) {
    if (want.state === "absent") yield* clear(now, want);
    else if (want.unpack !== undefined) yield* keepUnpacked(now, want, want.unpack);
    else yield* keepPlain(now, want);
  },

  *undo(before, now, want) {
    if (want.unpack === undefined) yield* undoPlain(before, now, want);
    else yield* undoUnpacked(before, now, { ...want, unpack: want.unpack });
  },
});

async function thereOf(host: Host, paths: readonly string[]): Promise<string[]> {
  const stats = await Promise.all(paths.map((path) => host.stat(path)));
  return paths.filter((_, index) => stats[index] !== undefined);
}

function* keepPlain(now: Now, want: Want): Generator<Change> {
  const { path, mode, owner, group = owner } = want;
  const wanted = wantedSha(now, want);
  if (now.stat?.kind === "file" && now.sha256 === wanted) {
    const say = attributeDifference(now.stat, { mode, owner, group });
    if (say !== undefined) yield setAttributes(path, { mode, owner, group }, `${path}: ${say}`);
    return;
  }
  const was = now.sha256 === undefined ? "" : ` (in place of sha256 ${now.sha256.slice(0, 12)}…)`;
  if (want.from !== undefined) {
    if (now.lacks.length > 0) yield makeDirectory(folderOf(path));
    yield {
      ...upload(want.from, path, { mode, owner, group }),
      say: `send ${want.from} to ${path}${was}`,
    };
  } else
    yield fetching(now, want, {
      to: path,
      record: want.sha256 === undefined ? recordOf(want) : "",
      was,
    });
}

function* keepUnpacked(now: Now, want: Want, unpack: Unpacking): Generator<Change> {
  const { recorded } = now;
  const wanted = wantedSha(now, want);
  const how = howUnpacked(unpack);
  const why = reasonToUnpack(recorded, wanted, how);
  if (why === undefined) return;
  const archive = `${store}/incoming-${nameOf(want)}.tar`;
  if (want.from !== undefined) {
    yield makeDirectory(store);
    yield upload(want.from, archive, { mode: 0o600 });
  } else yield fetching(now, want, { to: archive, record: "", was: "" });
  const args = [archive, want.path, unpack.strip, recordOf(want), want.url ?? "", how];
  yield run(
    script(UNPACK, ...args, ...unpack.only),
    `unpack ${sourceOf(want)} into ${want.path}: ${why}`,
    {
      timeout: want.timeout,
    },
  );
}

/** What decides which members are where; their order does not. */
const howUnpacked = ({ strip, only }: Unpacking): string =>
  JSON.stringify([strip, ...new Set(only.toSorted())]);

function reasonToUnpack(
  recorded: Now["recorded"],
  wanted: string | undefined,
  how: string,
): string | undefined {
  if (recorded === undefined) return "not there";
  if (recorded.sha !== wanted) return "another version is there";
  if (recorded.broken !== "") return `${recorded.broken} is not as unpacked`;
  return recorded.unpacked === how ? undefined : "other members of it are there";
}

function* clear(now: Now, want: Want): Generator<Change> {
  if (want.unpack === undefined && now.stat !== undefined) yield remove(want.path);
  if (now.recorded === undefined) return;
  const say = `remove what was unpacked into ${want.path}`;
  if (want.unpack === undefined) yield remove(recordOf(want));
  else yield run(script(CLEAR, want.path, recordOf(want)), say);
}
