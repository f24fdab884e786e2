import { readFile, stat } from "node:fs/promises";
import { PlaybookError } from "../../errors/error.ts";
import { errnoCode, errnoText } from "../errno.ts";
import { type KnownHost, parseKnownHosts, speaksOf } from "./known-hosts.ts";

interface Indexed {
  /** Tells whether the file was changed since. */
  readonly stamp: string;
  readonly index: Promise<Index>;
}

interface Index {
  readonly entries: readonly KnownHost[];
  /** Places of entries that name hosts outright, by name. */
  readonly named: ReadonlyMap<string, readonly number[]>;
  /** Places of all others: patterns, and hashed names, which have to be tried one by one. */
  readonly tried: readonly number[];
}

/** known_hosts files as thousands of hosts need them: each is read again only when it was changed. */
export class KnownHostsFiles {
  readonly #read = new Map<string, Indexed>();

  /** The entries that speak of one of these names, in the order in which they stand. */
  async entriesFor(names: readonly string[], files: readonly string[]): Promise<KnownHost[]> {
    const found: KnownHost[] = [];
    for (const file of files) {
      const { entries, named, tried } = await this.#indexOf(file);
      const places = new Set(names.flatMap((name) => named.get(name) ?? []));
      for (const place of tried) {
        const entry = entries[place];
        if (entry && names.some((name) => speaksOf(entry, name))) places.add(place);
      }
      for (const place of [...places].sort((a, b) => a - b))
        found.push(...entries.slice(place, place + 1));
    }
    return found;
  }

  async #indexOf(file: string): Promise<Index> {
    const stamp = await stampOf(file);
    const known = this.#read.get(file);
    if (known?.stamp === stamp) return known.index;
    const index = textOf(file).then((text) => indexOf(parseKnownHosts(text, file)));
    this.#read.set(file, { stamp, index });
    return index;
  }
}

function indexOf(entries: readonly KnownHost[]): Index {
  const named = new Map<string, number[]>();
  const tried: number[] = [];
  for (const [place, { hosts }] of entries.entries()) {
    if (/[|*?!]/.test(hosts)) tried.push(place);
    else
      for (const name of hosts.toLowerCase().split(","))
        named.set(name, [...(named.get(name) ?? []), place]);
  }
  return { entries, named, tried };
}

async function stampOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs } = await stat(file);
    return `${dev}:${ino}:${size}:${mtimeMs}`;
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return "";
    throw unusable(file, error);
  }
}

/** A file's text; a file that is not there counts as empty. */
export async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return "";
    throw unusable(file, error);
  }
}

export const unusable = (file: string, error: unknown): PlaybookError =>
  new PlaybookError("PB_KNOWN_HOSTS_UNUSABLE", [file, errnoText(error)], {}, { cause: error });
