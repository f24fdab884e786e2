import { join } from "node:path";
import { PlaybookError } from "../../errors/error.ts";
import { HostAddr } from "../../net/host-addr.ts";
import type { Target } from "../connection.ts";
import { homeFolder, loginName } from "../login.ts";
import { knownName } from "./known-hosts.ts";
import { loadSshConfig, type Settings, type SshConfig } from "./ssh-config.ts";

/** Everything that is needed to reach one host, after inventory and ssh_config were put together. */
export interface Route {
  /** The inventory's name, for errors. */
  readonly name: string;
  readonly addr: HostAddr;
  readonly port: number;
  readonly user: string;
  /** Named ones: a key that cannot be read is an error. */
  readonly identityFiles: readonly string[];
  /** Tried where they exist. */
  readonly defaultIdentityFiles: readonly string[];
  /** Only named files, nothing else that an agent holds. */
  readonly agent: string | undefined;
  readonly knownHosts: {
    /** Under which the host may be kept; a new key is kept under the first, the others can only say yes. */
    readonly names: readonly string[];
    readonly files: readonly string[];
    readonly acceptNew: boolean;
    readonly hashed: boolean;
  };
  /** Hosts on the way, the nearest first. */
  readonly jumps: readonly Route[];
}

/** Where this side keeps its settings; the user's own unless given. */
export interface LocalSettings {
  readonly home?: string;
  /** ssh_config files, first match wins; `~/.ssh/config` and `/etc/ssh/ssh_config` unless given. */
  readonly configFiles?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

/** Finds routes: what the inventory says comes first, then ssh_config, then ssh's defaults. */
export class Routes {
  readonly #home: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #config: SshConfig;
  readonly #self = loginName();

  private constructor(local: LocalSettings, home: string, config: SshConfig) {
    this.#home = home;
    this.#env = local.env ?? process.env;
    this.#config = config;
  }

  static async load(local: LocalSettings = {}): Promise<Routes> {
    const home = local.home ?? homeFolder();
    const files = local.configFiles ?? [join(home, ".ssh/config"), "/etc/ssh/ssh_config"];
    return new Routes(local, home, await loadSshConfig(files, home));
  }

  of(target: Target): Route {
    return this.#route(target, []);
  }

  #route(target: Target, seen: readonly string[]): Route {
    const asked = HostAddr.parse(target.address);
    const settings = this.#config.of(asked.ssh());
    const hostName = settings.hostName?.replaceAll("%h", asked.ssh()).replaceAll("%%", "%");
    const named = hostName === undefined ? asked : HostAddr.parse(hostName);
    const reached = target.at === undefined ? named : HostAddr.parse(target.at);
    const port = target.port ?? reached.port ?? asked.port ?? settings.port ?? 22;
    const user = target.user ?? settings.user ?? this.#self;
    if (reached.linkLocal && reached.zone === undefined)
      throw new PlaybookError("PB_ADDRESS_INVALID", [
        reached.ssh(),
        "a link-local address needs its interface, as in fe80::1%eth0",
      ]);
    const tokens = { "%h": named.ssh(), "%r": user, "%u": this.#self, "%d": this.#home };
    const path = (text: string) => this.#path(text, tokens);
    const identityFiles = (
      target.identityFile ? [target.identityFile] : settings.identityFiles
    ).map(path);
    return {
      name: target.name,
      addr: reached.withPort(port),
      port,
      user,
      identityFiles,
      defaultIdentityFiles:
        identityFiles.length > 0 ? [] : DEFAULT_KEYS.map((key) => join(this.#home, ".ssh", key)),
      agent: settings.agent === "none" ? undefined : (settings.agent ?? this.#env["SSH_AUTH_SOCK"]),
      knownHosts: {
        names: knownNames(settings.hostKeyAlias, named, port),
        files: this.#knownHostsFiles(target, settings).map(path),
        acceptNew: target.hostKeys ? target.hostKeys === "accept-new" : settings.acceptNew,
        hashed: settings.hashKnownHosts,
      },
      jumps: this.#jumps(target, settings, seen),
    };
  }

  #knownHostsFiles(target: Target, settings: Settings): readonly string[] {
    if (target.knownHostsFile !== undefined) return [target.knownHostsFile];
    const users = settings.userKnownHostsFiles;
    return [...(users.length > 0 ? users : ["~/.ssh/known_hosts"]), "/etc/ssh/ssh_known_hosts"];
  }

  #path(text: string, tokens: Readonly<Record<string, string>>): string {
    const absolute = text.startsWith("~/") ? join(this.#home, text.slice(2)) : text;
    return absolute.replace(/%[hrud]/g, (token) => tokens[token] ?? token).replaceAll("%%", "%");
  }

  #jumps(target: Target, settings: Settings, seen: readonly string[]): Route[] {
    const jump = target.jump ?? settings.proxyJump;
    if (jump === undefined || jump === "none") {
      if (target.jump === undefined && settings.proxyCommand !== undefined)
        throw new PlaybookError("PB_SSH_CONFIG_UNSUPPORTED", [target.address, "ProxyCommand"]);
      return [];
    }
    if (seen.includes(jump) || seen.length > 7)
      throw new PlaybookError("PB_JUMP_FAILED", [jump, "the jump hosts lead back to themselves."]);
    const hops = jump.split(",").map((hop) => jumpTarget(hop.trim(), target));
    // As ssh: only the first hop's own ProxyJump counts, the others are reached through it.
    return hops.flatMap((hop, index) => {
      const route = this.#route(index === 0 ? hop : { ...hop, jump: "none" }, [...seen, jump]);
      return [...route.jumps, { ...route, jumps: [] }];
    });
  }
}

/** As ssh: an alias stands alone; a host on another port may also be kept without its port. */
function knownNames(alias: string | undefined, addr: HostAddr, port: number): string[] {
  if (alias !== undefined) return [alias.toLowerCase()];
  return [...new Set([knownName(addr.ssh(), port), addr.ssh().toLowerCase()])];
}

/** `[user@]host[:port]`, or as a ssh:// URL; host key rules are those of the host behind it. */
function jumpTarget(text: string, behind: Target): Target {
  const bare = text.replace(/^ssh:\/\//, "").replace(/\/$/, "");
  const at = bare.lastIndexOf("@");
  const user = at < 0 ? undefined : bare.slice(0, at);
  return {
    name: bare,
    address: bare.slice(at + 1),
    ...(user !== undefined && { user }),
    ...(behind.identityFile !== undefined && { identityFile: behind.identityFile }),
    ...(behind.knownHostsFile !== undefined && { knownHostsFile: behind.knownHostsFile }),
    ...(behind.hostKeys !== undefined && { hostKeys: behind.hostKeys }),
  };
}
