import { settleGuards } from "../converge/guard.ts";
import { settleLeftovers } from "../converge/leftovers.ts";
import type { Reached } from "../converge/reached.ts";
import { CONTROL } from "../dsl/host-set.ts";
import type { HostEntry } from "../dsl/inventory.ts";
import { PlaybookError } from "../errors/error.ts";
import type { Connection } from "../host/connection.ts";
import { readFacts } from "../host/facts.ts";
import type { Facts } from "../host/host.ts";
import type { HostLocks } from "../lock/host-locks.ts";
import type { Emit } from "../report/event.ts";
import type { Connections } from "./connections.ts";
import type { Clock } from "./options.ts";
import { showError } from "./shown-error.ts";
import { refusal } from "./unreached.ts";

/** What hosts are reached with. */
export interface HostsOptions {
  readonly inventory: Readonly<Record<string, HostEntry>>;
  readonly connections: Connections;
  /** Undefined where nothing is changed, so nobody need be kept out. */
  readonly locks: HostLocks | undefined;
  /** The dead runs that this one goes on with. */
  readonly resumes?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** The hosts of a run: each is connected to when it is first needed, asked for its facts once, and given up once. */
export class Hosts {
  readonly #options: HostsOptions;
  readonly #opening = new Map<string, Promise<Opened>>();
  readonly #seen = new Set<string>();
  readonly #givenUp = new Map<string, string>();

  constructor(options: HostsOptions) {
    this.#options = options;
  }

  /** Why nothing more is tried on a host; undefined while it is. */
  whyGivenUp(host: string): string | undefined {
    return this.#givenUp.get(host);
  }

  /** A connected host; connects anew where the last connection is gone. Who asks meanwhile shares the attempt. */
  async reach(host: string): Promise<Reached> {
    const opened = await (this.#opening.get(host) ?? this.#open(host));
    const { connections, locks } = this.#options;
    return {
      name: host,
      facts: opened.facts,
      get address() {
        return connections.addressOf(host);
      },
      get connection() {
        return opened.connection;
      },
      reconnect: async (options) => {
        opened.connection = await connections.again(host, options);
        locks?.renew(host, opened.connection);
        return opened.connection;
      },
    };
  }

  /**
   * Once the host is this run's. It may be looked at before: whoever gives it back has made all changes by then.
   * @throws PB_HOST_LOCKED, PB_LOCK_LOST, PB_LOCK_FAILED
   */
  async held(host: string): Promise<void> {
    await (await (this.#opening.get(host) ?? this.#open(host))).locked;
  }

  /** Before a change: whether the host is still this run's. @throws as {@link held} */
  async confirmed(host: string): Promise<void> {
    await this.held(host);
    await this.#options.locks?.confirm(host);
  }

  /** Says once that a host cannot be reached, or is another run's; nothing more is tried on it in this run. */
  giveUp(host: string, error: unknown): void {
    if (this.#givenUp.has(host)) return;
    this.#givenUp.set(host, `${host} ${refusal(error) ?? "is unreachable"}`);
    const { emit, clock } = this.#options;
    emit({
      type: "host-unreachable",
      at: clock.now(),
      host,
      error: showError(error, { host }),
    });
  }

  async close(): Promise<void> {
    const { locks, connections } = this.#options;
    await connections.close(await locks?.end());
  }

  #open(host: string): Promise<Opened> {
    const opening = this.#connect(host);
    this.#opening.set(host, opening);
    const forget = () => {
      if (this.#opening.get(host) === opening) this.#opening.delete(host);
    };
    opening.then((opened) => untilLost(opened).then(forget), forget);
    return opening;
  }

  // The facts of a host that was lost are read anew: it may have been started anew.
  async #connect(host: string): Promise<Opened> {
    const { connections, locks, resumes, clock, emit, inventory } = this.#options;
    if (host !== CONTROL && inventory[host] === undefined)
      throw new PlaybookError("PB_UNKNOWN_HOST", [host, Object.keys(inventory)]);
    const began = clock.steady();
    const connection = await connections.to(host);
    const locked = locks?.take(host, connection) ?? Promise.resolve();
    // Nobody hears of it here: whoever is to use the host asks whether it is held.
    locked.catch(() => undefined);
    const { facts, guarded, shared } = await readFacts(connection);
    // Somebody else may be at work there: whether it is theirs is told before anything is waited for.
    if (guarded || shared) await locked;
    if (guarded && host !== CONTROL) await settleGuards(connection, host);
    if (shared) await settleLeftovers(connection, host, resumes);
    const ms = clock.steady() - began;
    if (!this.#seen.has(host)) emit({ type: "host-connected", at: clock.now(), host, ms });
    this.#seen.add(host);
    return { connection, facts, locked };
  }
}

interface Opened {
  /** Another one after a guarded change. */
  connection: Connection;
  readonly facts: Facts;
  readonly locked: Promise<void>;
}

async function untilLost(opened: Opened): Promise<void> {
  const { connection } = opened;
  await connection.lost;
  if (opened.connection !== connection) await untilLost(opened);
}
