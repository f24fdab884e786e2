import { posix } from "node:path";
import type { FileAttributes, FileStat } from "../connection.ts";

interface Entry {
  readonly kind: FileStat["kind"];
  readonly content: Buffer;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly target?: string;
}

/** Why a path could not be used: the errno text of a real host. */
export class FakeErrno extends Error {}

const ROOT = { owner: "root", group: "root" };
const NOTHING = Buffer.alloc(0);
const MAX_LINKS = 40;

/** Files of a fake host: content, mode, owner, symlinks; enough permission checking to tell root from others. */
export class FakeFilesystem {
  readonly #entries = new Map<string, Entry>([
    ["/", { kind: "directory", content: NOTHING, mode: 0o755, ...ROOT }],
  ]);
  /** What every write answers: "No space left on device", "Read-only file system". */
  refuseWrites: string | undefined;

  constructor() {
    for (const path of ["/etc", "/root", "/usr/local/bin", "/var/lib", "/run"]) this.mkdir(path);
    this.mkdir("/tmp", { mode: 0o1777 });
  }

  /** Makes a folder and those above it. */
  mkdir(path: string, { mode = 0o755, owner = "root", group = owner }: FileAttributes = {}): void {
    const parent = posix.dirname(path);
    if (!this.#entries.has(parent)) this.mkdir(parent);
    this.#entries.set(path, { kind: "directory", content: NOTHING, mode, owner, group });
  }

  /** Puts a file there with its folders, past permissions and faults: for setting a scene. */
  put(
    path: string,
    content: string | Uint8Array,
    { mode = 0o644, owner = "root", group = owner }: FileAttributes = {},
  ): void {
    if (!this.#entries.has(posix.dirname(path))) this.mkdir(posix.dirname(path));
    this.#entries.set(path, { kind: "file", content: Buffer.from(content), mode, owner, group });
  }

  symlink(path: string, target: string): void {
    if (!this.#entries.has(posix.dirname(path))) this.mkdir(posix.dirname(path));
    this.#entries.set(path, { kind: "symlink", content: NOTHING, mode: 0o777, target, ...ROOT });
  }

  /** A file or a folder with all in it. */
  remove(path: string): void {
    for (const each of this.#entries.keys())
      if (each === path || each.startsWith(`${path}/`)) this.#entries.delete(each);
  }

  chmod(path: string, mode: number): void {
    this.#entries.set(path, { ...this.#existing(path), mode });
  }

  chown(path: string, owner: string, group = owner): void {
    this.#entries.set(path, { ...this.#existing(path), owner, group });
  }

  /** A file's text, or undefined: for looking at the outcome. */
  text(path: string): string | undefined {
    const entry = this.#entries.get(this.#resolve(path));
    return entry?.kind === "file" ? entry.content.toString() : undefined;
  }

  /** Names in a folder, sorted. */
  list(path: string): string[] {
    const under = path === "/" ? "/" : `${path}/`;
    return [...this.#entries.keys()]
      .filter(
        (each) => each !== "/" && each.startsWith(under) && !each.slice(under.length).includes("/"),
      )
      .map((each) => each.slice(under.length))
      .sort();
  }

  read(path: string, user: string): Buffer | undefined {
    const entry = this.#entries.get(this.#resolve(path));
    if (entry === undefined) return undefined;
    if (entry.kind === "directory") throw new FakeErrno("Is a directory");
    if (!allowed(entry, user, 4)) throw new FakeErrno("Permission denied");
    return entry.content;
  }

  stat(path: string): FileStat | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined) return undefined;
    const { kind, mode, owner, group, target } = entry;
    const size = target === undefined ? entry.content.length : Buffer.byteLength(target);
    const ids = { uid: idOf(owner), gid: idOf(group) };
    return { kind, mode, owner, group, ...ids, size, ...(target !== undefined && { target }) };
  }

  /** As a real host writes: beside and renamed over, so a symlink is replaced and a folder refused. */
  write(path: string, content: Uint8Array, as: FileAttributes & { readonly user: string }): void {
    const folder = this.#entries.get(this.#resolve(posix.dirname(path)));
    if (this.refuseWrites !== undefined) throw new FakeErrno(this.refuseWrites);
    if (folder === undefined) throw new FakeErrno("No such file or directory");
    if (folder.kind !== "directory") throw new FakeErrno("Not a directory");
    if (this.#entries.get(this.#resolve(path))?.kind === "directory")
      throw new FakeErrno("Is a directory");
    if (!allowed(folder, as.user, 2)) throw new FakeErrno("Permission denied");
    const { mode = 0o644, owner = as.user, group = owner } = as;
    if (owner !== as.user && as.user !== "root") throw new FakeErrno("Operation not permitted");
    this.#entries.set(path, { kind: "file", content: Buffer.from(content), mode, owner, group });
  }

  #existing(path: string): Entry {
    const entry = this.#entries.get(path);
    if (entry === undefined) throw new FakeErrno("No such file or directory");
    return entry;
  }

  #resolve(path: string, links = 0): string {
    const entry = this.#entries.get(path);
    if (entry?.target === undefined) return path;
    if (links > MAX_LINKS) throw new FakeErrno("Too many levels of symbolic links");
    return this.#resolve(posix.resolve(posix.dirname(path), entry.target), links + 1);
  }
}

/** The number of a user or group; each name that is none has one of its own, as far as a few names go. */
export function idOf(name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  if (name === "root") return 0;
  return 1000 + [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 60_000, 0);
}

function allowed({ mode, owner }: Entry, user: string, bit: number): boolean {
  if (user === "root") return true;
  return ((owner === user ? mode >> 6 : mode) & bit) !== 0;
}
