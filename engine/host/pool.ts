import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import type { Connection, LastCall, Target, Transport } from "./connection.ts";
import { deadlineIn, left } from "./deadline.ts";
import { Semaphore } from "./semaphore.ts";

/** Connections being made at a time: each costs this machine some 5 ms of one core, and on a long way half a second. */
const CONNECTING = 64;
const CONNECT_TIMEOUT = 15_000;
/** A host that boots or changes its address is asked again this often, ms. */
const RETRY_PAUSE = 500;

/** Errors of a host that may be on its way back; a wrong key or a changed host key will not mend itself. */
const MAY_RETURN: ReadonlySet<string> = new Set([
  "PB_CONNECT_REFUSED",
  "PB_CONNECT_UNREACHABLE",
  "PB_CONNECT_UNRESOLVED",
  "PB_CONNECT_SILENT",
  "PB_CONNECT_DROPPED",
  "PB_CONNECT_TURNED_AWAY",
  "PB_CONNECTION_LOST",
  "PB_JUMP_FAILED",
]);

export interface ReconnectOptions {
  /** The host's new address, where it changed: known by its old host key, under its old settings. */
  readonly address?: string;
  /** Where the target says again, whatever the address was changed to. */
  readonly back?: boolean;
  /** Ms until the last error is thrown. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

interface Place {
  target: Target;
  connection: Promise<Connection>;
}

/** One connection a host for a whole run: made when it is first needed, shared by all that need it. */
export class ConnectionPool {
  readonly #transport: Transport;
  readonly #places = new Map<string, Place>();
  readonly #connecting = new Semaphore(CONNECTING);
  #closed = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The host's connection; one that was lost is made anew for whoever asks next. */
  get(target: Target): Promise<Connection> {
    const place = this.#places.get(target.name);
    if (place) return place.connection;
    return this.#keep(target, this.#connect(target, deadlineIn(CONNECT_TIMEOUT)));
  }

  /**
   * Leaves a connection that may be dead and makes another, at the new address if one is given, trying until the
   * deadline. Who asks for the host meanwhile waits for the new one.
   */
  reconnect(target: Target, options: ReconnectOptions): Promise<Connection> {
    const old = this.#places.get(target.name);
    const at = options.back === true ? undefined : (options.address ?? old?.target.at);
    const there = at === undefined ? target : { ...target, at };
    const until = deadlineIn(options.deadlineMs);
    return this.#keep(there, this.#again(there, { ...options, until, old: old?.connection }));
  }

  /** Ends every connection and what runs on it, after the last call that its host is to get, if any. */
  async close(last: ReadonlyMap<string, LastCall> = new Map()): Promise<void> {
    this.#closed = true;
    const places = [...this.#places.values()];
    this.#places.clear();
    await Promise.all(
      places.map(({ target, connection }) => drop(connection, last.get(target.name))),
    );
  }

  #keep(target: Target, connection: Promise<Connection>): Promise<Connection> {
    if (this.#closed) {
      void drop(connection);
      return Promise.reject(
        new PlaybookError("PB_CONNECTION_LOST", [target.name, "the run is over"]),
      );
    }
    const place: Place = { target, connection };
    this.#places.set(target.name, place);
    const forget = () => {
      if (this.#places.get(target.name) === place) this.#places.delete(target.name);
    };
    connection.then(({ lost }) => lost.then(forget), forget);
    return connection;
  }

  async #connect(target: Target, until: number, signal?: AbortSignal): Promise<Connection> {
    const busy = () =>
      new PlaybookError("PB_CONNECT_SILENT", [target.address, CONNECT_TIMEOUT / 1000]);
    // Waiting for a place is not the host's fault: its own time begins with the place.
    const release = await this.#connecting.acquire(10 * CONNECT_TIMEOUT, busy);
    const timeoutMs = Math.min(CONNECT_TIMEOUT, Math.max(left(until), 1000));
    try {
      return await this.#transport.connect(target, { timeoutMs, ...(signal && { signal }) });
    } finally {
      release();
    }
  }

  async #again(
    target: Target,
    options: ReconnectOptions & { until: number; old: Promise<Connection> | undefined },
  ): Promise<Connection> {
    const { until, signal, old } = options;
    if (old) void drop(old);
    for (;;) {
      try {
        signal?.throwIfAborted();
        return await this.#connect(target, until, signal);
      } catch (error) {
        const hopeful = isPlaybookError(error) && MAY_RETURN.has(error.code);
        if (!hopeful || left(until) < RETRY_PAUSE || this.#closed) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE));
      }
    }
  }
}

/** Ends a connection that may never have been one, or be dead: neither is news here. */
async function drop(connection: Promise<Connection>, last?: LastCall): Promise<void> {
  await connection.then(
    (open) => open.close(last),
    () => undefined,
  );
}
