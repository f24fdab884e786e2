/** Netplan files: which of them count, and what they configure. */
import { isAlias, isMap, isScalar, isSeq, type Pair, parseAllDocuments } from "yaml";
import { canonicalCidr } from "#engine/net/ip.ts";
import type { LiveNow } from "./live.ts";
import { type Match, matches } from "./match.ts";

/** What one file says of one interface. */
export interface Configured {
  readonly path: string;
  readonly interface: string;
  /** With prefix length, in their one spelling. */
  readonly addresses: readonly string[];
}

/** A file of the same name in a folder further to the front hides this one. */
const FOLDERS = ["/run/netplan/", "/etc/netplan/", "/usr/lib/netplan/", "/lib/netplan/"];

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const rankOf = (path: string) => FOLDERS.indexOf(path.slice(0, path.lastIndexOf("/") + 1));

/** The file that hides another one of its name; undefined where the file counts. */
export const hiddenBy = (path: string, paths: readonly string[]): string | undefined =>
  paths.find((other) => nameOf(other) === nameOf(path) && rankOf(other) < rankOf(path));

/** The files that netplan reads. */
export const effective = (paths: readonly string[]): string[] =>
  paths.filter((path) => hiddenBy(path, paths) === undefined);

/** Every interface that a netplan file configures; a text that is no YAML configures none, and netplan says so. */
export function configuredBy(path: string, text: string, live: LiveNow): Configured[] {
  // What stands behind a second `---` is not read.
  const [document] = parseAllDocuments(text, { uniqueKeys: false, schema: "failsafe" });
  if (document === undefined || !("contents" in document)) return [];
  const file = new Reader((node) => (isAlias(node) ? node.resolve(document) : node));
  const networks = file.children(document.contents, "network");
  const kinds = networks.flatMap((network) => file.pairs(network).map(([, kind]) => kind));
  return kinds
    .flatMap((kind) => file.pairs(kind))
    .flatMap(([id, device]) => {
      const addresses = file
        .children(device, "addresses")
        .flatMap((list) => file.items(list))
        .map(canonicalCidr);
      return interfacesOf(id, file.device(device), live).map((name) => ({
        path,
        interface: name,
        addresses,
      }));
    });
}

interface Device {
  readonly setName: string | undefined;
  readonly match: Match | undefined;
}

/** Reads YAML as netplan does: of a key that is given twice, both count; of a word, the last. */
class Reader {
  readonly #resolve: (node: unknown) => unknown;
  constructor(resolve: (node: unknown) => unknown) {
    this.#resolve = resolve;
  }

  pairs(node: unknown): [string, unknown][] {
    const map = this.#resolve(node);
    if (!isMap(map)) return [];
    return map.items.flatMap(({ key, value }: Pair) => {
      const name = this.#word(key);
      return name === undefined ? [] : [[name, value] as [string, unknown]];
    });
  }

  children(node: unknown, key: string): unknown[] {
    return this.pairs(node).flatMap(([name, value]) => (name === key ? [value] : []));
  }

  /** The words of a list; an address may carry options, as {"2001:db8::1/64": {lifetime: 0}}. */
  items(node: unknown): string[] {
    const list = this.#resolve(node);
    if (!isSeq(list)) return [];
    return list.items.flatMap((item) => {
      const word = this.#word(item);
      return word === undefined ? this.pairs(item).map(([key]) => key) : [word];
    });
  }

  device(node: unknown): Device {
    const match = this.children(node, "match").flatMap((one) => this.pairs(one));
    const last = (key: string) => match.findLast(([name]) => name === key)?.[1];
    const driver = match.flatMap(([name, value]) => {
      if (name !== "driver") return [];
      const word = this.#word(value);
      return word === undefined ? this.items(value) : [word];
    });
    return {
      setName: this.#word(this.children(node, "set-name").at(-1)),
      match:
        this.children(node, "match").length === 0
          ? undefined
          : {
              name: this.#word(last("name")),
              macaddress: this.#word(last("macaddress")),
              ...(driver.length === 0 ? {} : { driver }),
            },
    };
  }

  #word(node: unknown): string | undefined {
    const scalar = this.#resolve(node);
    return isScalar(scalar) && typeof scalar.value === "string" ? scalar.value : undefined;
  }
}

function interfacesOf(id: string, { match, setName }: Device, live: LiveNow): string[] {
  if (match === undefined) return [setName ?? id];
  return Object.entries(live.links).flatMap(([name, link]) =>
    name === setName || matches(match, name, link) ? [name] : [],
  );
}
