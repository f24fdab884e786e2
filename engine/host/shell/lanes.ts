import { isPlaybookError, PlaybookError } from "../../errors/error.ts";
import { left, within } from "../deadline.ts";
import { type Call, FramedShell, type Reply, ShellGone } from "./framed-shell.ts";
import { type Identity, launch } from "./launch.ts";
import type { OpenPipe, Pipe } from "./pipe.ts";
import type { Work } from "./request.ts";

const MEBIBYTE = 1024 * 1024;
const DEFAULT_TIMEOUT = 60_000;
/** A call that runs longer keeps nobody else waiting: what comes after it takes another shell. */
const SLOW = 500;
const STOP_GRACE = 5_000;

export interface LaneOptions {
  readonly as?: string;
  readonly timeoutMs?: number;
  readonly long?: boolean;
  readonly signal?: AbortSignal;
}

export interface LaneLimits {
  /** Shells open at a time; below the server's limit of sessions. */
  readonly shells: number;
  /** Bytes of output of one call. */
  readonly maxOutput: number;
}

export const defaultLimits: LaneLimits = { shells: 7, maxOutput: 16 * MEBIBYTE };

interface Lane {
  readonly user: string;
  readonly long: boolean;
  readonly pipe: Pipe;
  readonly shell: FramedShell;
}

/** The framed shells of one connection: one a user for short calls, more where one is busy, one for each long call. */
export class Lanes {
  readonly #open: OpenPipe;
  readonly #identity: Identity;
  readonly #limits: LaneLimits;
  readonly #lanes: Lane[] = [];
  readonly #opening = new Map<string, Promise<Lane>>();
  /** Shells that stopped but whose output something on the host still holds. */
  readonly #held: Pipe[] = [];
  /** Shells that wait for a place. */
  #hungry = 0;
  #closed: string | undefined;

  constructor(open: OpenPipe, identity: Identity, limits: LaneLimits = defaultLimits) {
    this.#open = open;
    this.#identity = identity;
    this.#limits = limits;
  }

  /** One call, with its deadline; a call that never began because its shell ended is made again. */
  async call(work: Work, options: LaneOptions = {}): Promise<Reply> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT;
    const until = Date.now() + timeoutMs;
    options.signal?.throwIfAborted();
    for (let attempt = 1; ; attempt++) {
      const lane = await this.#lane(work, options, until);
      try {
        return await this.#answer(lane, lane.shell.submit(work), { ...options, until, timeoutMs });
      } catch (error) {
        if (!(error instanceof ShellGone)) throw error;
        if (error.started || this.#closed !== undefined || attempt === 4)
          throw this.#lost(this.#closed ?? error.message);
      } finally {
        this.#makeRoom();
      }
    }
  }

  /** Ends the calls that run, then every shell. */
  async close(reason: string): Promise<void> {
    this.#closed ??= reason;
    const busy = this.#lanes.filter((lane) => lane.shell.pending > 0);
    await Promise.all(busy.map((lane) => this.#endAll(lane)));
    this.abandon(reason);
  }

  /** Drops everything at once: the connection is gone. */
  abandon(reason: string): void {
    this.#closed ??= reason;
    for (const { shell } of this.#lanes.splice(0)) shell.destroy();
    for (const pipe of this.#held.splice(0)) pipe.destroy();
  }

  #lost(reason: string): PlaybookError {
    return new PlaybookError("PB_CONNECTION_LOST", [this.#identity.host, reason]);
  }

  async #lane(work: Work, options: LaneOptions, until: number): Promise<Lane> {
    if (this.#closed !== undefined) throw this.#lost(this.#closed);
    const user = options.as ?? this.#identity.loginUser;
    const long = options.long === true;
    const mine = this.#lanes.filter((lane) => lane.user === user && lane.long === long);
    const free = mine.find((lane) => (long ? lane.shell.pending === 0 : lane.shell.slowFor < SLOW));
    if (free) return free;
    const roomy = this.#lanes.length < this.#limits.shells;
    if (!long && mine[0] && !roomy) return mine[0];
    if (long) return this.#add(user, long, until);
    const opening = this.#opening.get(user) ?? this.#add(user, long, until);
    if (!this.#opening.has(user)) {
      this.#opening.set(user, opening);
      const forget = () => this.#opening.delete(user);
      opening.then(forget, forget);
    }
    return within(left(until), opening, () => timeout(work.what, options, "it had not begun"));
  }

  async #add(user: string, long: boolean, until: number): Promise<Lane> {
    this.#hungry++;
    this.#makeRoom();
    const { pipe, pid } = await launch(this.#open, this.#identity, {
      as: user,
      timeoutMs: left(until),
    }).finally(() => this.#hungry--);
    const shell = new FramedShell(pipe, {
      pid,
      maxOutput: this.#limits.maxOutput,
      onLeftover: () => this.#hold(lane),
    });
    const lane: Lane = { user, long, pipe, shell };
    this.#lanes.push(lane);
    void pipe.closed.then(() => this.#forget(lane));
    if (this.#closed !== undefined) this.abandon(this.#closed);
    return lane;
  }

  #forget(lane: Lane): void {
    const at = this.#lanes.indexOf(lane);
    if (at >= 0) this.#lanes.splice(at, 1);
  }

  // Closing it would end what the command left running at its next line of output, so two are kept open.
  #hold(lane: Lane): void {
    this.#forget(lane);
    this.#held.push(lane.pipe);
    if (this.#held.length > 2) this.#held.shift()?.destroy();
  }

  // Where all places are taken, an idle shell gives up its own to whoever waits for one.
  #makeRoom(): void {
    if (this.#lanes.length + this.#hungry <= this.#limits.shells) return;
    const idle = this.#lanes.findLast((lane) => lane.shell.pending === 0);
    if (!idle) return;
    this.#forget(idle);
    idle.shell.retire();
  }

  async #answer(
    lane: Lane,
    call: Call,
    options: LaneOptions & { readonly until: number; readonly timeoutMs: number },
  ): Promise<Reply> {
    const { signal, until } = options;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(new PlaybookError("PB_INTERRUPTED", ["the call"]));
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await within(left(until), Promise.race([call.reply, aborted.promise]), async () =>
        timeout(call.what, options, await this.#stop(lane, call)),
      );
    } catch (error) {
      if (isPlaybookError(error) && error.code !== "PB_TIMEOUT")
        error.with({ state: await this.#stop(lane, call) });
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Makes sure that a call does not run (any more); the sentence says how it stands. */
  async #stop(lane: Lane, call: Call): Promise<string> {
    call.reply.catch(() => undefined);
    if (call.withdraw()) return "it had not begun";
    try {
      const ended = this.#endOne(lane, call);
      return await within(STOP_GRACE, ended, () => new Error("the host did not answer"));
    } catch (error) {
      this.#forget(lane);
      lane.shell.destroy();
      const why = error instanceof Error ? error.message : String(error);
      return `it may still run on the host (it could not be ended: ${why})`;
    }
  }

  async #endOne(lane: Lane, call: Call): Promise<string> {
    const settled = call.reply.then(
      () => undefined,
      () => undefined,
    );
    if (call.state() === "sent") {
      this.#forget(lane);
      await this.#control(lane.user, `kill -TERM ${lane.shell.pid}; kill -0 ${lane.shell.pid}`);
      await Promise.race([settled, lane.pipe.closed]);
      return "it had not begun";
    }
    const pid = call.pid();
    if (pid !== undefined) await this.#control(lane.user, `_pb_kill ${pid}`);
    await settled;
    return "its processes on the host were ended";
  }

  async #endAll(lane: Lane): Promise<void> {
    const end = async () => {
      await this.#control(
        lane.user,
        `kill -TERM ${lane.shell.pid}; _pb_kill ${lane.shell.pid} below`,
      );
    };
    await within(STOP_GRACE, end(), () => new Error("the host did not answer")).catch(
      // Closing goes on: the peer may be gone, which is why things are being closed.
      () => undefined,
    );
  }

  /** A shell of its own for ending another's work; it may use the place that is kept free for that. */
  async #control(as: string, body: string): Promise<void> {
    const { pipe, pid } = await launch(this.#open, this.#identity, {
      as,
      timeoutMs: STOP_GRACE,
      reserved: true,
    });
    const shell = new FramedShell(pipe, { pid, maxOutput: MEBIBYTE, onLeftover: () => undefined });
    try {
      await shell.submit({ what: "kill", body, grouped: false }).reply;
    } finally {
      shell.destroy();
    }
  }
}

function timeout(what: string, { timeoutMs }: LaneOptions, state: string): PlaybookError {
  const seconds = Math.round((timeoutMs ?? DEFAULT_TIMEOUT) / 100) / 10;
  return new PlaybookError("PB_TIMEOUT", [what, seconds], { state });
}
