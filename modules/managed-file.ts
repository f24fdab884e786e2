/** A file on a host that a module owns whole: how to look at it, and what brings it to the wanted state. */
import {
  type Change,
  type FileStat,
  type Host,
  isSecret,
  makeDirectory,
  PlaybookError,
  remove,
  type Secret,
  setAttributes,
  writeFile,
} from "#engine/index.ts";

/** What is at a path now. */
export interface FileNow {
  readonly content: string | undefined;
  readonly stat: FileStat | undefined;
  /** The folders above it that are not there, outermost first; the nearest one alone where it comes with a package. */
  readonly lacks: readonly string[];
}

export interface FileWant {
  readonly path: string;
  readonly content: string | Secret;
  readonly mode?: number | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

const homeOf = (path: string) => path.slice(0, path.lastIndexOf("/")) || "/";

/**
 * Looks at one path, in one round trip, and a second one where its folder is not there. That one is spared a path whose
 * folder comes with a package: where the package is not there, nothing is written either.
 *
 * @throws PB_WRONG_KIND where a directory or a device is
 */
export async function readManaged(
  host: Host,
  path: string,
  { folder = "made" }: { readonly folder?: "made" | "packaged" } = {},
): Promise<FileNow> {
  const [stat, home, content] = await Promise.all([
    host.stat(path),
    host.stat(homeOf(path)),
    // A directory rejects here; its stat gives the better error below.
    host.readFile(path).catch((error: unknown) => ({ error })),
  ]);
  if (stat !== undefined && stat.kind !== "file" && stat.kind !== "symlink")
    throw new PlaybookError("PB_WRONG_KIND", [path, stat.kind, "file"], { host: host.name });
  if (typeof content === "object") throw content.error;
  if (home !== undefined) return { content, stat, lacks: [] };
  const lacks = folder === "packaged" ? [homeOf(path)] : await lackingFolders(host, path);
  return { content, stat, lacks };
}

/** The folders above a path that are not there, outermost first. */
export async function lackingFolders(host: Host, path: string): Promise<string[]> {
  const parts = homeOf(path).split("/").slice(1);
  const folders = parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
  const stats = await Promise.all(folders.map((folder) => host.stat(folder)));
  return folders.filter((_, index) => stats[index] === undefined);
}

/** What makes the file as wanted: nothing where it is. */
export function* keepFile(now: FileNow, want: FileWant): Generator<Change> {
  const { path, content, owner = "root", group = owner } = want;
  // What is a secret here is none on a host where everybody reads it.
  const mode = want.mode ?? (isSecret(content) ? 0o600 : 0o644);
  const text = isSecret(content) ? content.reveal() : content;
  const attributes = { mode, owner, group };
  const isFile = now.stat?.kind === "file";
  if (isFile && now.content === text) {
    const say = attributeDifference(now.stat, attributes);
    if (say !== undefined) yield setAttributes(path, attributes, `${path}: ${say}`);
    return;
  }
  if (now.lacks.length > 0) yield makeDirectory(homeOf(path));
  yield writeFile(path, content, {
    ...attributes,
    // What was in a file of secrets is a secret too, and no one masks it.
    was: isSecret(content) ? undefined : now.content,
    say: contentDifference(now, want.path, text),
  });
}

/** What makes the path empty: nothing where it is. */
export function* keepAway(now: Pick<FileNow, "stat">, path: string): Generator<Change> {
  if (now.stat !== undefined) yield remove(path);
}

/** "mode 0644 → 0600, owner root → etcd"; undefined where all is as wanted. */
export function attributeDifference(
  stat: FileStat,
  want: { mode: number; owner: string; group: string },
): string | undefined {
  const octal = (mode: number) => mode.toString(8).padStart(4, "0");
  const said = [
    stat.mode === want.mode ? [] : `mode ${octal(stat.mode)} → ${octal(want.mode)}`,
    isAccount(want.owner, stat.owner, stat.uid) ? [] : `owner ${stat.owner} → ${want.owner}`,
    isAccount(want.group, stat.group, stat.gid) ? [] : `group ${stat.group} → ${want.group}`,
  ].flat();
  return said.length === 0 ? undefined : said.join(", ");
}

// Digits are a number for chown where no user is called so (POSIX chown), and such names are refused by useradd.
const isAccount = (want: string, name: string, id: number): boolean =>
  want === name || (/^\d+$/.test(want) && Number(want) === id);

function contentDifference(now: FileNow, path: string, text: string): string {
  if (now.stat === undefined) return `create ${path}`;
  if (now.stat.kind === "symlink")
    return `${path}: a symlink to ${now.stat.target ?? "nowhere"} → a file`;
  const before = new Set(now.content?.split("\n"));
  const after = new Set(text.split("\n"));
  const added = [...after].filter((line) => !before.has(line)).length;
  const gone = [...before].filter((line) => !after.has(line)).length;
  if (added + gone === 0) return `${path}: the same lines in another order`;
  return `${path}: ${added} ${added === 1 ? "line" : "lines"} new, ${gone} gone`;
}
