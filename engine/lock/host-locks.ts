import type { Clock } from "../converge/clock.ts";
import { lastLines } from "../converge/command-failure.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { inlineScript } from "../host/command.ts";
import type { CallOptions, Connection, LastCall } from "../host/connection.ts";
import { within } from "../host/deadline.ts";
import { lockScript, releaseScript } from "./lock-script.ts";
import { describeOwner, type Owner, ownerLines, parseLockState } from "./owner.ts";

/** Between two heartbeats, in ms: the host's watchdog misses two before it lets go. */
const BEAT_MS = 10_000;
/** One that takes longer than this came too late anyway. Ms. */
const BEAT_TIMEOUT_MS = 25_000;
/**
 * How long after the last heartbeat that was answered the host is surely still this run's, in ms: its watchdog lets go
 * no sooner than 28 s after it heard one.
 */
const SURE_MS = 20_000;
/** How long a run that is over waits for a lock that is just being taken. Ms. */
const END_TIMEOUT_MS = 3000;

/** Whose locks these are, and on which hosts. */
export interface HostLocksOptions {
  readonly owner: Omit<Owner, "since">;
  /** The dead runs that this one goes on with: what one of them still holds is taken over. */
  readonly resumes?: readonly string[] | undefined;
  /** The hosts that the run may change, each with the user who takes the lock; undefined is the login user. */
  readonly hosts: ReadonlyMap<string, string | undefined>;
  readonly clock: Clock;
  /** Told once when a host was lost to somebody else: nothing more may be begun on it. */
  readonly lost: (host: string, error: unknown) => void;
}

interface Held {
  readonly host: string;
  readonly since: number;
  connection: Connection;
  /** When the last call that the host answered was made, on the steady clock. */
  askedAt: number;
  /** A heartbeat is on its way. */
  beating: boolean;
}

type Mode = "take" | "again" | "beat";

/** The locks of one run: taken as it reaches hosts, kept by heartbeats over whatever connection there is. */
export class HostLocks {
  readonly #options: HostLocksOptions;
  readonly #held = new Map<string, Held>();
  /** Why hosts are not this run's any more. */
  readonly #lost = new Map<string, unknown>();
  /** What was asked for and is not answered yet. */
  readonly #taking = new Set<Promise<void>>();
  readonly #over = new AbortController();
  #beats: Promise<void> | undefined;

  constructor(options: HostLocksOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the host is this run's: at once where the run only looks at it.
   * @throws PB_HOST_LOCKED, PB_LOCK_FAILED, and PB_LOCK_LOST where it was this run's before
   */
  async take(host: string, connection: Connection): Promise<void> {
    if (!this.#options.hosts.has(host)) return;
    const taking = this.#take(host, connection);
    this.#taking.add(taking);
    await taking.finally(() => this.#taking.delete(taking));
  }

  async #take(host: string, connection: Connection): Promise<void> {
    const before = this.#held.get(host);
    const since = before?.since ?? this.#options.clock.now();
    const held = { host, since, connection, askedAt: 0, beating: false };
    await this.#run(held, before === undefined ? "take" : "again");
    this.#held.set(host, held);
    this.#beats ??= this.#keepBeating();
  }

  /**
   * Before each change: whether the host is still this run's. Costs nothing while its heartbeats are answered; an engine
   * that stood still, or was cut off, asks the host first.
   * @throws PB_LOCK_LOST; what the transport does where the host cannot be asked
   */
  async confirm(host: string): Promise<void> {
    if (!this.#options.hosts.has(host)) return;
    if (this.#lost.has(host)) throw this.#lost.get(host);
    const held = this.#held.get(host);
    if (held === undefined) throw lockLost(host, "");
    if (this.#options.clock.steady() - held.askedAt < SURE_MS) return;
    try {
      await this.#run(held, "beat");
    } catch (error) {
      if (isLost(error)) this.#letGo(held, error);
      throw error;
    }
  }

  /** After a new connection in the old one's place; nobody waits for the answer. */
  renew(host: string, connection: Connection): void {
    const held = this.#held.get(host);
    if (held === undefined) return;
    held.connection = connection;
    void this.#beat(held, "again");
  }

  /**
   * Stops the heartbeats, and says by which last call each host is given back. That no run waits for: whoever comes next
   * needs longer to get there, and a host that never hears of it lets go by itself.
   */
  async end(): Promise<ReadonlyMap<string, LastCall>> {
    this.#over.abort();
    await this.#beats;
    // One that is not answered yet would be held by nobody.
    const settled = Promise.allSettled(this.#taking);
    await within(END_TIMEOUT_MS, settled, () => new Error("no answer")).catch(() => undefined);
    const command = inlineScript(releaseScript, this.#options.owner.run);
    const last = new Map(
      Array.from(this.#held.keys(), (host) => [host, { command, ...this.#as(host) }] as const),
    );
    this.#held.clear();
    return last;
  }

  async #keepBeating(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#options.clock.wait(BEAT_MS, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      if (signal.aborted) return;
      for (const held of this.#held.values()) if (!held.beating) void this.#beat(held, "beat");
    }
  }

  async #beat(held: Held, mode: Mode): Promise<void> {
    held.beating = true;
    try {
      await this.#run(held, mode);
    } catch (error) {
      // A connection that fails is somebody else's to mend, and a late answer no proof of anything.
      if (isLost(error)) this.#letGo(held, error);
    } finally {
      held.beating = false;
    }
  }

  #letGo(held: Held, error: unknown): void {
    if (this.#held.get(held.host) !== held) return;
    this.#held.delete(held.host);
    this.#lost.set(held.host, error);
    this.#options.lost(held.host, error);
  }

  async #run(held: Held, mode: Mode): Promise<void> {
    const { host, since, connection } = held;
    const askedAt = this.#options.clock.steady();
    const lines = ownerLines({ ...this.#options.owner, since });
    const before = mode === "take" ? (this.#options.resumes ?? []).join(" ") : "";
    const command = inlineScript(lockScript, mode, before, ...lines);
    const { code, stdout, stderr } = await connection.run(command, {
      ...this.#as(host),
      ...(mode === "take" ? {} : { timeoutMs: BEAT_TIMEOUT_MS }),
    });
    if (code === 0) {
      held.askedAt = askedAt;
      return;
    }
    if (code !== 6 && code !== 7) {
      const why = lastLines(stderr).at(-1) ?? `sh exited ${code}`;
      throw new PlaybookError("PB_LOCK_FAILED", [host, why], {
        state: `nothing was changed on ${host}`,
      });
    }
    throw mode === "take" ? hostLocked(host, stdout) : lockLost(host, stdout);
  }

  #as(host: string): Pick<CallOptions, "as"> {
    const as = this.#options.hosts.get(host);
    return as === undefined ? {} : { as };
  }
}

/** Somebody else's lock, as an error, by what the host printed of it. */
export function hostLocked(host: string, printed: string): PlaybookError {
  const { owner, guarded } = parseLockState(printed);
  const state = guarded
    ? `a guarded change on ${host} is not over yet; the host keeps the lock until it is`
    : `nothing was changed on ${host}`;
  return new PlaybookError("PB_HOST_LOCKED", [host, describeOwner(owner)], { state });
}

function lockLost(host: string, printed: string): PlaybookError {
  const { owner } = parseLockState(printed);
  const why = owner === undefined ? "it was freed by hand" : `${describeOwner(owner)} took it`;
  return new PlaybookError("PB_LOCK_LOST", [host, why]);
}

const isLost = (error: unknown): boolean =>
  !isPlaybookError(error) || error.code === "PB_LOCK_LOST";
