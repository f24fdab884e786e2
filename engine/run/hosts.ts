import { settleGuards } from "../converge/guard.ts";
import type { Reached } from "../converge/reached.ts";
import { CONTROL } from "../dsl/host-set.ts";
import type { HostEntry } from "../dsl/inventory.ts";
import { PlaybookError } from "../errors/error.ts";
import type { Connection } from "../host/connection.ts";
import type { Facts } from "../host/host.ts";
import type { Emit } from "../report/event.ts";
import type { Clock } from "./options.ts";
import { showError } from "./shown-error.ts";

/** Connections by host, as the run needs them; jumps, handshake limits and host keys are its business. */
export interface ConnectionPool {
  /** The live connection to a host, a new one where there is none. */
  connect(host: string, signal?: AbortSignal): Promise<Connection>;
  /** A new connection in the old one's place, at another address from now on where one is given. */
  reconnect(
    host: string,
    options: { address?: string | undefined; timeoutMs: number },
  ): Promise<Connection>;
  facts(connection: Connection): Promise<Facts>;
  close(): Promise<void>;
}

/** What hosts are reached with. */
export interface HostsOptions {
  readonly inventory: Readonly<Record<string, HostEntry>>;
  readonly pool: ConnectionPool;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** The hosts of a run: each is connected to when it is first needed, asked for its facts once, and given up once. */
export class Hosts {
  readonly #options: HostsOptions;
  readonly #opening = new Map<string, Promise<Opened>>();
  readonly #facts = new Map<string, Facts>();
  readonly #givenUp = new Set<string>();

  constructor(options: HostsOptions) {
    this.#options = options;
  }

  /** Why nothing more is tried on a host; undefined while it is. */
  isGivenUp(host: string): boolean {
    return this.#givenUp.has(host);
  }

  /** A connected host; connects anew where the last connection is gone. */
  async reach(host: string, signal?: AbortSignal): Promise<Reached> {
    const open = (await this.#opening.get(host)?.catch(() => undefined)) ?? undefined;
    const opened = open === undefined || open.lost ? await this.#open(host, signal) : open;
    const { pool } = this.#options;
    return {
      name: host,
      facts: opened.facts,
      get connection() {
        return opened.connection;
      },
      reconnect: async (options) => {
        opened.connection = await pool.reconnect(host, options);
        watch(opened);
        return opened.connection;
      },
    };
  }

  /** Says once that a host cannot be reached; nothing more is tried on it in this run. */
  giveUp(host: string, error: unknown): void {
    if (this.#givenUp.has(host)) return;
    this.#givenUp.add(host);
    const { emit, clock } = this.#options;
    emit({
      type: "host-unreachable",
      at: clock.now(),
      host,
      error: showError(error, { host }),
    });
  }

  close(): Promise<void> {
    return this.#options.pool.close();
  }

  // Nodes that need a host at the same moment share one attempt.
  #open(host: string, signal: AbortSignal | undefined): Promise<Opened> {
    const opening = this.#connect(host, signal);
    this.#opening.set(host, opening);
    return opening;
  }

  async #connect(host: string, signal: AbortSignal | undefined): Promise<Opened> {
    const { pool, clock, emit, inventory } = this.#options;
    if (host !== CONTROL && inventory[host] === undefined)
      throw new PlaybookError("PB_UNKNOWN_HOST", [host, Object.keys(inventory)]);
    const began = clock.now();
    const connection = await pool.connect(host, signal);
    const known = this.#facts.get(host);
    const [facts] = await Promise.all([
      known ?? pool.facts(connection),
      host === CONTROL ? undefined : settleGuards(connection, host),
    ]);
    this.#facts.set(host, facts);
    const at = clock.now();
    if (known === undefined) emit({ type: "host-connected", at, host, ms: at - began });
    const opened: Opened = { connection, facts, lost: false };
    watch(opened);
    return opened;
  }
}

interface Opened {
  connection: Connection;
  readonly facts: Facts;
  lost: boolean;
}

function watch(opened: Opened): void {
  const { connection } = opened;
  opened.lost = false;
  void connection.lost.then(() => {
    if (opened.connection === connection) opened.lost = true;
  });
}
