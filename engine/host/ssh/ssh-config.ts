import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import SSHConfig from "ssh-config";
import { PlaybookError } from "../../errors/error.ts";
import { errnoCode, errnoText } from "../errno.ts";
import { wildcard } from "./known-hosts.ts";

/** What ssh_config says about one host, as far as it is honoured here. */
export interface Settings {
  readonly hostName?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identityFiles: readonly string[];
  /** IdentityAgent: a socket, or "none". */
  readonly agent?: string;
  readonly userKnownHostsFiles: readonly string[];
  readonly hostKeyAlias?: string;
  /** StrictHostKeyChecking accept-new. "no" is read as accept-new: a changed key is always refused. */
  readonly acceptNew: boolean;
  readonly hashKnownHosts: boolean;
  readonly proxyJump?: string;
  readonly proxyCommand?: string;
}

export interface SshConfig {
  of(host: string): Settings;
}

const MAX_INCLUDE_DEPTH = 16;
// `Match exec` never holds: the library would run it without its tokens, and wait for it without an end.
const COMPUTE = { ignoreCase: true, matchExec: false } as const;

/** Reads ssh_config files, the first value found wins; a file that is not there counts as empty. */
export async function loadSshConfig(files: readonly string[], home: string): Promise<SshConfig> {
  const parts: SSHConfig[] = [];
  for (const file of files) {
    const folder = file.startsWith("/etc/") ? dirname(file) : join(home, ".ssh");
    const text = await expand(file, { folder, home, depth: 0 });
    try {
      const config = SSHConfig.parse(text);
      // One that says nothing costs the library as much as any other, for each host.
      if (config.length > 0) parts.push(config);
    } catch (error) {
      throw new PlaybookError(
        "PB_SSH_CONFIG_INVALID",
        [file, errnoText(error)],
        {},
        { cause: error },
      );
    }
  }
  return {
    of(host) {
      const found = new Map<string, string[]>();
      for (const config of parts)
        for (const [name, value] of Object.entries(config.compute(host, COMPUTE)))
          if (name === "identityfile" || !found.has(name))
            found.set(name, [...(found.get(name) ?? []), ...[value].flat()]);
      return settings(found);
    },
  };
}

interface Place {
  /** What relative Includes are relative to. */
  readonly folder: string;
  readonly home: string;
  readonly depth: number;
}

/** A file's text with its Includes in place, each followed by the Host or Match line that was open. */
async function expand(file: string, place: Place): Promise<string> {
  if (place.depth > MAX_INCLUDE_DEPTH)
    throw new PlaybookError("PB_SSH_CONFIG_INVALID", [file, "its Includes go round in a circle"]);
  let open = "Host *";
  const lines: string[] = [];
  for (const line of (await textOf(file)).split("\n")) {
    if (/^\s*(host|match)\s/i.test(line)) open = line;
    // The library would ask nslookup, and wait for it without an end.
    if (/^\s*canonicaldomains\b/i.test(line)) continue;
    const include = /^\s*include(?:\s+|\s*=\s*)(.+)$/i.exec(line)?.[1];
    if (include === undefined) lines.push(line);
    else {
      for (const path of included(include, place))
        lines.push(await expand(path, { ...place, depth: place.depth + 1 }));
      lines.push(open);
    }
  }
  return lines.join("\n");
}

function included(patterns: string, { folder, home }: Place): string[] {
  return (patterns.match(/"[^"]*"|\S+/g) ?? []).flatMap((quoted) => {
    const pattern = quoted.replaceAll('"', "").replace(/^~\//, `${home}/`);
    return matching(isAbsolute(pattern) ? pattern : join(folder, pattern)).sort();
  });
}

/** Files of a pattern of glob(7), as far as ssh_config has need of it: Node's own glob takes 30 ms to load. */
function matching(pattern: string): string[] {
  let paths = ["/"];
  for (const part of pattern.split("/").filter((part) => part !== ""))
    paths = paths.flatMap((path) => {
      if (!/[*?]/.test(part)) return [join(path, part)];
      const match = wildcard(part);
      return entriesOf(path).flatMap((name) => (match.test(name) ? [join(path, name)] : []));
    });
  return paths;
}

function entriesOf(folder: string): string[] {
  try {
    // As a shell does: what is hidden is not meant.
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoCode(error) ?? "")) return [];
    throw new PlaybookError(
      "PB_SSH_CONFIG_INVALID",
      [folder, errnoText(error)],
      {},
      { cause: error },
    );
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return "";
    throw new PlaybookError(
      "PB_SSH_CONFIG_INVALID",
      [file, errnoText(error)],
      {},
      { cause: error },
    );
  }
}

function settings(found: ReadonlyMap<string, readonly string[]>): Settings {
  const one = (name: string) => found.get(name)?.[0];
  const words = (name: string) => (found.get(name) ?? []).flatMap((value) => value.split(/\s+/));
  const optional = {
    hostName: one("hostname"),
    user: one("user"),
    agent: one("identityagent"),
    hostKeyAlias: one("hostkeyalias"),
    proxyJump: one("proxyjump"),
    proxyCommand: one("proxycommand") === "none" ? undefined : one("proxycommand"),
  };
  const port = one("port");
  return {
    ...defined(optional),
    ...(port !== undefined && { port: Number(port) }),
    identityFiles: found.get("identityfile") ?? [],
    userKnownHostsFiles: words("userknownhostsfile"),
    acceptNew: ["accept-new", "no", "off"].includes(one("stricthostkeychecking") ?? ""),
    hashKnownHosts: one("hashknownhosts") === "yes",
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
