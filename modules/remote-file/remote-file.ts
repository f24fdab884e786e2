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
  makeDirectory,
  PlaybookError,
  remove,
  run,
  script,
  setAttributes,
  upload,
} from "#engine/index.ts";
import { attributeDifference } from "../managed-file.ts";
import { AbsolutePath, Account, DurationText, Line, Mode, Sha256, State, Url } from "../params.ts";
import { sha256OfLocal } from "./local-file.ts";
import { CLEAR, FETCH, STATE, UNPACK } from "./scripts.ts";

const store = "/var/lib/run-playbook/remote-file";

const Unpack = z.strictObject({
  strip: z.int().min(0).default(0).describe("How many leading parts of member paths to drop."),
  only: z
    .array(Line.min(1))
    .default([])
    .describe("Members to unpack, named as in the archive; all unless given."),
});

const Params = z
  .strictObject({
    path: AbsolutePath.describe("The file, or the folder to unpack into."),
    url: Url.optional().describe("Where the host fetches it; IPv6 literals in brackets."),
    from: z
      .string()
      .min(1)
      .optional()
      .describe("In place of `url`: a path on the control machine, from where it is sent."),
    sha256: Sha256.optional().describe("The checksum of what is fetched or sent."),
    sha256Url: Url.optional().describe(
      "A file with the checksum: bare, or in lines of `<sha256>  <name>` as sha256sum prints.",
    ),
    unpack: Unpack.optional().describe(
      "It is a tar archive, compressed or not (gzip needs nothing; xz and zstd need their programs on the host).",
    ),
    name: z
      .string()
      .regex(/^[\w.-]+$/)
      .optional()
      .describe(
        "What the archive is called in the record, the same in all its versions; its file name up to the version unless given.",
      ),
    mode: Mode.default(0o644).describe("Permission bits of the file; 0o755 for programs."),
    owner: Account.default("root").describe("The file's owner."),
    group: Account.optional().describe("The file's group; the owner's name unless given."),
    timeout: DurationText.default("10m").describe("For fetching it."),
    state: State.describe("absent removes the file, or all that was unpacked."),
  })
  .refine((want) => (want.url === undefined) !== (want.from === undefined), {
    message: "expected either url or from",
  })
  .refine((want) => want.url === undefined || (want.sha256 ?? want.sha256Url) !== undefined, {
    message: "a url needs sha256 or sha256Url: nothing unchecked is put in place",
  });
type Want = z.output<typeof Params>;

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
    const [tool = "none", url = "", sha = "", broken = ""] = printed.split("\n");
    return {
      tool,
      stat,
      home: homeStat !== undefined,
      recorded: sha === "" ? undefined : { url, sha, broken: broken.replace(/: FAILED.*$/, "") },
      fromSha,
      sha256: unpack === undefined ? isSha : sha || undefined,
    };
  },

  *diff(now, want) {
    if (want.state === "absent") yield* clear(now, want);
    else if (want.unpack !== undefined) yield* keepUnpacked(now, want, want.unpack);
    else yield* keepPlain(now, want);
  },
});

interface Now {
  readonly tool: string;
  readonly stat: Parameters<typeof attributeDifference>[0] | undefined;
  readonly home: boolean;
  readonly recorded: { url: string; sha: string; broken: string } | undefined;
  readonly fromSha: string | undefined;
  readonly sha256: string | undefined;
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
    if (!now.home) yield makeDirectory(folderOf(path));
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

function* keepUnpacked(now: Now, want: Want, unpack: z.output<typeof Unpack>): Generator<Change> {
  const { recorded } = now;
  const wanted = wantedSha(now, want);
  if (recorded !== undefined && recorded.sha === wanted && recorded.broken === "") return;
  const why = reasonToUnpack(recorded, wanted);
  const archive = `${store}/incoming-${nameOf(want)}.tar`;
  if (want.from !== undefined) {
    yield makeDirectory(store);
    yield upload(want.from, archive, { mode: 0o600 });
  } else yield fetching(now, want, { to: archive, record: "", was: "" });
  const args = [archive, want.path, unpack.strip, recordOf(want), want.url ?? ""];
  yield run(
    script(UNPACK, ...args, ...unpack.only),
    `unpack ${sourceOf(want)} into ${want.path}: ${why}`,
    {
      timeout: want.timeout,
    },
  );
}

const reasonToUnpack = (recorded: Now["recorded"], wanted: string | undefined) => {
  if (recorded === undefined) return "not there";
  return recorded.sha === wanted
    ? `${recorded.broken} is not as unpacked`
    : "another version is there";
};

function* clear(now: Now, want: Want): Generator<Change> {
  if (want.unpack === undefined && now.stat !== undefined) yield remove(want.path);
  if (now.recorded === undefined) return;
  const say = `remove what was unpacked into ${want.path}`;
  if (want.unpack === undefined) yield remove(recordOf(want));
  else yield run(script(CLEAR, want.path, recordOf(want)), say);
}

function fetching(
  now: Now,
  want: Want,
  place: { to: string; record: string; was: string },
): Change {
  const { url = "", sha256 = "", sha256Url = "", mode, owner, group = owner } = want;
  if (now.tool === "none")
    throw new PlaybookError("PB_TOOL_MISSING", ["curl, wget or python3", `it cannot fetch ${url}`]);
  const octal = mode.toString(8).padStart(4, "0");
  const args = [url, sha256, sha256Url, place.to, octal, `${owner}:${group}`, place.record];
  return run(script(FETCH, ...args), `fetch ${url} to ${place.to}${place.was}`, {
    timeout: want.timeout,
  });
}

// With sha256Url alone the checksum is known once it was fetched: it stands in the record, for that address.
const wantedSha = ({ recorded, fromSha }: Now, { sha256, url }: Want): string | undefined => {
  if (fromSha !== undefined && sha256 !== undefined && fromSha !== sha256)
    throw new PlaybookError("PB_CHECKSUM", ["the file on the control machine", fromSha, sha256]);
  return sha256 ?? fromSha ?? (recorded?.url === url ? recorded?.sha : undefined);
};

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/")) || "/";
const sourceOf = ({ url, from }: Want) => url ?? from ?? "";
const nameOf = (want: Want) =>
  (want.name ?? sourceOf(want).split("/").at(-1) ?? "")
    .replace(/[-_.]?v?\d+\.\d.*$/, "")
    .replace(/[^\w.-]/g, "_") || "archive";
const recordOf = (want: Want) =>
  `${store}/${want.path.slice(1).replaceAll("/", "-")}--${nameOf(want)}`;
