import type { FileStat } from "../connection.ts";
import type { Reply } from "./call.ts";
import { MISSING, parseStat } from "./files.ts";
import { quoteAll } from "./quote.ts";
import type { Work } from "./request.ts";

/** What is at a path; `content` is that of a file, where it was asked for. */
export interface Found {
  readonly stat: FileStat | undefined;
  readonly content: Buffer | undefined;
}

/** Paths to be looked at together: true for those of which the content is wanted, too. */
export type Wanted = ReadonlyMap<string, boolean>;

/**
 * Text of sh for a shell's prelude, run in a subshell: looks at many files with three programs, however many they are.
 * $1 is how many of the paths that follow are only to be looked at; the rest is read. It prints a letter for each path
 * (n where nothing is, e where something is, f for a file that is read, o for what must be looked at alone), a line of
 * stat for each e and f, and where there are f: a NUL, their content, and their lines of stat once more.
 */
export const lookFunction = `\
_pb_look() {
  _n=$1; shift; _i=0; _k=0; _l=
  for _f; do
    shift; _i=$((_i + 1)); _c=o
    if [ -L "$_f" ]; then :
    elif [ ! -e "$_f" ]; then _c=n
    elif [ "$_i" -le "$_n" ]; then _c=e
    elif [ -f "$_f" ]; then _c=f
    fi
    _l=$_l$_c
    [ "$_c" != o ] || continue
    set -- "$@" "$_f"
    [ "$_i" -gt "$_n" ] || _k=$((_k + 1))
  done
  printf '%s\\n' "$_l"
  [ $# -gt 0 ] || exit 0
  stat -c "$_look" -- "$@"
  # What is read, and is there.
  shift "$_k"
  for _f; do shift; [ ! -f "$_f" ] || set -- "$@" "$_f"; done
  [ $# -gt 0 ] || exit 0
  printf '\\000'
  cat -- "$@"
  exec stat -c "$_look" -- "$@"
}
_look='%f %u %U %g %G %s %y'
`;

export function lookWork(wanted: Wanted): Work {
  const paths = inOrder(wanted);
  const stats = paths.filter((path) => wanted.get(path) === false);
  return {
    what: `look at ${paths.length} files`,
    body: `_pb_look ${stats.length} ${quoteAll(paths)}`,
    grouped: false,
  };
}

const inOrder = (wanted: Wanted): string[] =>
  [...wanted].sort(([, a], [, b]) => Number(a) - Number(b)).map(([path]) => path);

/** What was found, by path. A path of which that cannot be told for sure is left out. */
export function lookReply(wanted: Wanted, { code, stdout, stderr }: Reply): Map<string, Found> {
  const found = new Map<string, Found>();
  const paths = inOrder(wanted);
  const { letters, lines, rest } = sections(stdout);
  const stats = lines.map((line) => parseStat(line.replace(MODIFIED, "")));
  const ofKind = (kind: string) => paths.filter((_, index) => letters[index] === kind);
  const [none, some, files] = ["n", "e", "f"].map(ofKind) as [string[], string[], string[]];
  if (code !== 0 || stats.length !== some.length + files.length) return found;
  const missing = stderr.toString().match(new RegExp(MISSING, "gm"))?.length ?? 0;
  // Where stat has another reason than that nothing is there, it is not known what is.
  if (missing === none.length)
    for (const path of none) found.set(path, { stat: undefined, content: undefined });
  const contents = cut(rest, lines.slice(some.length), stats.slice(some.length));
  for (const [index, path] of [...some, ...files].entries()) {
    const stat = stats[index];
    const content = contents[index - some.length];
    if (stat && (content || index < some.length)) found.set(path, { stat, content });
  }
  return found;
}

/** When a file was modified, behind what stat says of it otherwise. */
const MODIFIED = / \d{4}-\d\d-\d\d \S{1,20} \S{1,6}$/;

function sections(stdout: Buffer) {
  const nul = stdout.indexOf(0);
  const head = stdout.toString("utf8", 0, nul < 0 ? stdout.length : nul);
  const [letters = "", ...lines] = head.trimEnd().split("\n");
  return { letters, lines, rest: nul < 0 ? Buffer.alloc(0) : stdout.subarray(nul + 1) };
}

/** The content of each file; of none where a file was changed while it was read. */
function cut(
  rest: Buffer,
  lines: readonly string[],
  stats: readonly (FileStat | undefined)[],
): Buffer[] {
  const contents: Buffer[] = [];
  let at = 0;
  for (const stat of stats) {
    if (stat === undefined) return [];
    contents.push(rest.subarray(at, at + stat.size));
    at += stat.size;
  }
  return rest.toString("utf8", at) === lines.map((line) => `${line}\n`).join("") ? contents : [];
}
