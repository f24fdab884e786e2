/** What systemd-sysctl will set at the next boot, by the rules of sysctl.d(5). */
import { type Host, script } from "#engine/index.ts";

/** A file of sysctl.d, with the lines that say something; a link to /dev/null has none. */
export interface BootFile {
  readonly path: string;
  readonly lines: readonly string[];
}

/** What a key is set to, and by which file. */
export interface Setting {
  readonly file: string;
  readonly key: string;
  /** Undefined where the key is only kept from patterns: nothing sets it. */
  readonly value: string | undefined;
}

/** The first folder that has a file of some name hides those in the others. */
export const FOLDERS = [
  "/etc/sysctl.d",
  "/run/sysctl.d",
  "/usr/local/lib/sysctl.d",
  "/usr/lib/sysctl.d",
];

/** Whether systemd-sysctl reads a file there. */
export const isReadAtBoot = (path: string): boolean =>
  FOLDERS.some(
    (folder) => path.startsWith(`${folder}/`) && !path.slice(folder.length + 1).includes("/"),
  ) && path.endsWith(".conf");

// Names first: a file without a line counts, and so does a link to nowhere, for both hide others.
const FILES = `# sysctl-files
set --
for folder in ${FOLDERS.join(" ")}; do
  for file in "$folder"/*.conf; do
    if [ -d "$file" ]; then continue; fi
    if [ -e "$file" ]; then set -- "$@" "$file"; elif [ ! -L "$file" ]; then continue; fi
    printf '%s\\n' "$file"
  done
done
echo
[ $# -eq 0 ] || LC_ALL=C grep -HE '^[[:space:]]*[^[:space:]#;]' -- "$@"
[ $? -le 1 ]`;

export async function readBootFiles(host: Host): Promise<readonly BootFile[]> {
  const printed = await host.text(script(FILES));
  const [names = "", ...settings] = printed.split(/^\n|\n\n/);
  const lines = settings.join("\n").split("\n");
  return names
    .split("\n")
    .filter(Boolean)
    .map((path) => ({
      path,
      lines: lines
        .filter((line) => line.startsWith(`${path}:`))
        .map((line) => line.slice(path.length + 1)),
    }));
}

/** By the path under /proc/sys; patterns are left out: a key that is named is never set by one. */
export function settingsAtBoot(files: readonly BootFile[]): ReadonlyMap<string, Setting> {
  const byName = new Map<string, BootFile>();
  for (const folder of FOLDERS)
    for (const file of files.filter(({ path }) => path.startsWith(`${folder}/`)))
      if (!byName.has(nameOf(file.path))) byName.set(nameOf(file.path), file);
  const inOrder = [...byName].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const found = new Map<string, Setting>();
  for (const [, { path, lines }] of inOrder)
    for (const line of lines) {
      const setting = settingOf(line);
      if (setting !== undefined) found.set(pathOf(setting.key), { file: path, ...setting });
    }
  return found;
}

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);

function settingOf(line: string): Omit<Setting, "file"> | undefined {
  const text = line.trim();
  const at = text.indexOf("=");
  // Without a value, a minus keeps a key from patterns; with one, it says that the key may be missing.
  if (at < 0)
    return text.startsWith("-") ? { key: text.slice(1).trim(), value: undefined } : undefined;
  const key = text.slice(0, at).trim().replace(/^-/, "").trim();
  return /[*?[]/.test(key) ? undefined : { key, value: spaced(text.slice(at + 1)) };
}

/** The path under /proc/sys: where the first separator is a slash, dots stand for themselves. */
export function pathOf(key: string): string {
  const first = key.search(/[./]/);
  const swap = (char: string) => (char === "." ? "/" : ".");
  return first >= 0 && key[first] === "/" ? key : key.replace(/[./]/g, swap);
}

// The kernel prints vectors (tcp_rmem) with tabs; people write them with spaces.
export const spaced = (value: string): string => value.trim().split(/\s+/).join(" ");

/**
 * Whether two values are one to the kernel, which reads numbers as C does (0x10 and 020 are 16), and joins what lies side
 * by side in lists of numbers: 80,81 and 80-81 are one (ip_local_reserved_ports).
 */
export const sameValue = (a: string, b: string): boolean =>
  a === b ||
  wordsOf(a).join(" ") === wordsOf(b).join(" ") ||
  (isList(a) && rangesOf(a) === rangesOf(b));

const wordsOf = (value: string) => spaced(value).split(" ").map(plain);

/** Numbers and ranges of them by commas; together shorter than what one sysctl takes. */
const isList = (value: string) =>
  value.length < 4096 && /^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(value);

/** In ascending order, with neighbours joined; the text itself where it is no list. */
function rangesOf(value: string): string {
  if (!isList(value)) return value;
  const ranges = value
    .split(",")
    .map((range) => range.split("-").map(Number))
    .map(([from = 0, to = from]) => [from, to] as const)
    .sort(([a], [b]) => a - b);
  const joined: [number, number][] = [];
  for (const [from, to] of ranges) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined.join(";");
}

function plain(word: string): string {
  const [, sign = "", digits = ""] = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(word) ?? [];
  if (digits === "" || /^0\d*[89]/.test(digits)) return word;
  const number = BigInt(/^0\d/.test(digits) ? `0o${digits}` : digits);
  return number === 0n ? "0" : `${sign}${number}`;
}
