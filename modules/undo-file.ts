/** The way back of files that a module owns whole. */
import { type Change, remove, run, Secret, sh } from "#engine/index.ts";
import { type FileNow, keepFile } from "./managed-file.ts";

/** One file on its way back. */
export interface FileBack {
  readonly path: string;
  readonly before: FileNow;
  readonly now: FileNow;
  /** Whether what was in it is a secret, so that nobody shows it. */
  readonly secret?: boolean;
}

/** Back to what was at each path: nothing where it is so. */
export function* undoFiles(...files: readonly FileBack[]): Generator<Change> {
  for (const file of files) yield* undoContent(file);
  const gone = files.filter(({ before }) => before.stat === undefined);
  yield* undoFolders(
    gone.flatMap(({ before }) => before.lacks),
    gone.flatMap(({ now }) => now.lacks),
  );
}

/** Takes away folders that were made on the way, innermost first; one that holds something by now fails, and stays. */
export function* undoFolders(
  lacked: readonly string[],
  lacks: readonly string[],
): Generator<Change> {
  const made = new Set(lacked.filter((folder) => !lacks.includes(folder)));
  for (const folder of [...made].sort((a, b) => depth(b) - depth(a)))
    yield run(sh`rmdir -- ${folder}`, `remove directory ${folder}`);
}

/** Several ways back as one: folders go last, innermost first, and each once. */
export function* foldersLast(changes: Iterable<Change>): Generator<Change> {
  const folders: string[] = [];
  for (const change of changes) {
    const folder = folderOf(change);
    if (folder === undefined) yield change;
    else folders.push(folder);
  }
  yield* undoFolders(folders, []);
}

const folderOf = (change: Change): string | undefined => {
  const [program, , folder] = change.op === "run" ? change.command.argv : [];
  return program === "rmdir" ? folder : undefined;
};

const depth = (path: string) => path.split("/").length;

function* undoContent({ path, before, now, secret = false }: FileBack): Generator<Change> {
  const { stat, content = "" } = before;
  if (stat === undefined) {
    if (now.stat !== undefined) yield remove(path);
  } else if (stat.kind === "symlink") {
    const target = stat.target ?? "";
    if (now.stat?.kind !== "symlink" || now.stat.target !== target)
      yield run(sh`ln -sfn -- ${target} ${path}`, `${path}: a symlink to ${target} again`);
  } else {
    const { mode, owner, group } = stat;
    const kept = secret ? new Secret(content) : content;
    yield* keepFile(now, { path, content: kept, mode, owner, group });
  }
}
