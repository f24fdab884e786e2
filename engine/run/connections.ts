import type { Reconnecting } from "../converge/reached.ts";
import { CONTROL } from "../dsl/host-set.ts";
import type { HostEntry } from "../dsl/inventory.ts";
import { isRef } from "../dsl/ref.ts";
import { isSecret } from "../dsl/secret.ts";
import type { Connection, LastCall, Target } from "../host/connection.ts";
import { ConnectionPool } from "../host/pool.ts";
import { type Secrets, secretKey } from "../plan/secrets.ts";
import type { RunOptions } from "./options.ts";

/** What connections are made from. */
export interface ConnectionsOptions {
  readonly inventory: Readonly<Record<string, HostEntry>>;
  readonly secrets: Secrets;
  readonly transports: RunOptions["transports"];
  /** The run that changes hosts, and which, each with the user whose lock keeps others out. */
  readonly changing?: {
    readonly run: string;
    readonly hosts: ReadonlyMap<string, string | undefined>;
  };
}

/** One connection a host, by the inventory's names: the control machine's is local, all others go over ssh. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #remote: ConnectionPool;
  readonly #local: ConnectionPool;
  /** Where hosts answer whose address was changed in this run. */
  readonly #moved = new Map<string, string>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#remote = new ConnectionPool(options.transports.ssh);
    this.#local = new ConnectionPool(options.transports.local);
  }

  /** The live connection to a host; a new one where there is none. */
  to(host: string): Promise<Connection> {
    return this.#poolOf(host).get(this.#targetOf(host, this.#moved.get(host)));
  }

  /** A new connection in the old one's place: where it was, unless told where to. */
  async again(host: string, { to, timeoutMs }: Reconnecting): Promise<Connection> {
    const address = to === undefined ? this.#moved.get(host) : to.address;
    const where = address === undefined ? { back: true } : { address };
    const target = this.#targetOf(host, undefined);
    const connection = await this.#poolOf(host).reconnect(target, {
      ...where,
      deadlineMs: timeoutMs,
    });
    if (address === undefined) this.#moved.delete(host);
    else this.#moved.set(host, address);
    return connection;
  }

  /** Where a host is reached whose address was changed in this run. */
  addressOf(host: string): string | undefined {
    return this.#moved.get(host);
  }

  /** Ends them all, after each host's last call. */
  async close(last?: ReadonlyMap<string, LastCall>): Promise<void> {
    await Promise.all([this.#remote.close(last), this.#local.close(last)]);
  }

  #poolOf(host: string): ConnectionPool {
    return host === CONTROL ? this.#local : this.#remote;
  }

  #targetOf(name: string, at: string | undefined): Target {
    const { inventory, secrets, changing } = this.#options;
    const { sudoPassword, settings: _, ...rest } = inventory[name] ?? { address: name };
    const source = isRef(sudoPassword) ? sudoPassword.source : undefined;
    const read = source?.kind === "secret" ? secrets.get(secretKey(source.source)) : undefined;
    const password = isSecret(sudoPassword) ? sudoPassword : read;
    return {
      ...rest,
      name,
      ...(at === undefined ? {} : { at }),
      ...(changing?.hosts.has(name) && {
        run: { id: changing.run, lockedAs: changing.hosts.get(name) },
      }),
      ...(password === undefined ? {} : { sudoPassword: password }),
    };
  }
}
