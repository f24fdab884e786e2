import { PlaybookError } from "../../errors/error.ts";
import { left, within } from "../deadline.ts";
import { INTRODUCTION } from "../introduction.ts";
import { FramedShell } from "./framed-shell.ts";
import { type Identity, launch } from "./launch.ts";
import type { OpenPipe, Pipe } from "./pipe.ts";

const MEBIBYTE = 1024 * 1024;
/** A call that runs longer than this keeps nobody else waiting: what comes after takes another shell. Ms. */
const SLOW = 500;
/** Stopped shells whose output something still holds open. */
const HELD = 2;

export interface LaneLimits {
  /** Shells open at a time; below the server's limit of sessions. */
  readonly shells: number;
  /** Bytes of output of one call. */
  readonly maxOutput: number;
}

export const defaultLimits: LaneLimits = { shells: 7, maxOutput: 16 * MEBIBYTE };

export interface Lane {
  readonly user: string;
  /** For one long call at a time; the others are shared. */
  readonly long: boolean;
  /** How the host introduced itself as the shell started; only where it is the login user's, and not a long one. */
  readonly introduction: string;
  readonly pipe: Pipe;
  readonly shell: FramedShell;
  taken: boolean;
}

export interface LaneRequest {
  readonly user: string;
  readonly long: boolean;
  /** Point in time, as deadlineIn gives it. */
  readonly until: number;
  readonly late: () => Error;
}

interface Waiter extends LaneRequest {
  readonly given: Promise<Lane>;
  opening: boolean;
  give(lane: Lane): void;
  fail(error: Error): void;
}

/** The framed shells of one connection: one a user for short calls, more where it is busy, one for each long call. */
export class Lanes {
  readonly #open: OpenPipe;
  readonly #identity: Identity;
  readonly #limits: LaneLimits;
  readonly #lanes: Lane[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #held: Pipe[] = [];
  /** Shells that are opening or closing: they hold a session too. */
  #changing = 0;
  #closed: string | undefined;

  constructor(open: OpenPipe, identity: Identity, limits: LaneLimits) {
    this.#open = open;
    this.#identity = identity;
    this.#limits = limits;
  }

  /** Why there are no shells any more. */
  get closed(): string | undefined {
    return this.#closed;
  }

  get busy(): readonly Lane[] {
    return this.#lanes.filter((lane) => lane.shell.pending > 0);
  }

  async get(request: LaneRequest): Promise<Lane> {
    if (this.#closed !== undefined) throw this.#lost(this.#closed);
    const mine = this.#lanes.filter((l) => l.user === request.user && l.long === request.long);
    const free = mine.find((lane) => (request.long ? !lane.taken : lane.shell.slowFor < SLOW));
    if (free) return take(free);
    const [slow] = request.long ? [] : mine.sort((a, b) => a.shell.pending - b.shell.pending);
    if (slow && this.#size >= this.#limits.shells) return slow;
    try {
      return take(await this.#wait(request));
    } catch (error) {
      // The server gave no further session: better behind a slow call than not at all.
      if (slow && !slow.shell.ended && error instanceof PlaybookError) return slow;
      throw error;
    }
  }

  /** After a call: whoever waits for a shell may have this one, or its place. */
  giveBack(lane: Lane): void {
    lane.taken = false;
    if (lane.shell.pending === 0 && this.#lanes.includes(lane)) this.#offer(lane);
  }

  /** Takes no more calls. */
  remove(lane: Lane): void {
    const at = this.#lanes.indexOf(lane);
    if (at >= 0) this.#lanes.splice(at, 1);
  }

  /** A user's shell that is at nothing, for what is its last call: it is not among these any more. */
  takeIdle(user: string): Lane | undefined {
    const idle = this.#lanes.find((lane) => lane.user === user && !lane.long && isIdle(lane));
    if (idle !== undefined) this.remove(idle);
    return idle;
  }

  /** Retires a shell that is at nothing and waits for its end; false where there is none. */
  async giveUpIdle(): Promise<boolean> {
    const idle = this.#lanes.find(isIdle);
    if (idle === undefined) return false;
    this.#retire(idle);
    await idle.pipe.closed;
    return true;
  }

  /** Drops everything at once. */
  abandon(reason: string): void {
    this.#closed ??= reason;
    for (const { shell } of this.#lanes.splice(0)) shell.destroy();
    for (const pipe of this.#held.splice(0)) pipe.destroy();
    for (const waiter of this.#waiters.splice(0)) waiter.fail(this.#lost(this.#closed));
  }

  get #size(): number {
    return this.#lanes.length + this.#changing;
  }

  #lost(reason: string): PlaybookError {
    return new PlaybookError("PB_CONNECTION_LOST", [this.#identity.host, reason]);
  }

  async #wait(request: LaneRequest): Promise<Lane> {
    const { promise, resolve, reject } = Promise.withResolvers<Lane>();
    const waiter: Waiter = {
      ...request,
      given: promise,
      opening: false,
      give: resolve,
      fail: reject,
    };
    this.#waiters.push(waiter);
    this.#grow();
    try {
      return await within(left(request.until), promise, request.late);
    } finally {
      this.#unqueue(waiter);
    }
  }

  #unqueue(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at >= 0) this.#waiters.splice(at, 1);
  }

  /** Opens a shell for each waiter that has none coming, where there is room, or makes room. */
  #grow(): void {
    for (const waiter of this.#waiters) {
      const { user, long } = waiter;
      const coming = this.#waiters.some((w) => w.opening && w.user === user && !w.long);
      if (waiter.opening || (!long && coming)) continue;
      if (this.#size < this.#limits.shells) void this.#openFor(waiter);
      else {
        const idle = this.#lanes.findLast(isIdle);
        if (idle) this.#retire(idle);
        return;
      }
    }
  }

  async #openFor(waiter: Waiter): Promise<void> {
    const { user, long } = waiter;
    waiter.opening = true;
    this.#changing++;
    try {
      const asked = user === this.#identity.loginUser && !long;
      const { pipe, pid, said } = await launch(this.#open, this.#identity, {
        as: user,
        ...(asked && { opening: INTRODUCTION }),
        timeoutMs: left(waiter.until),
        wanted: () => this.#waiters.some((w) => w.user === user && w.long === long),
      });
      this.#changing--;
      const shell = new FramedShell(pipe, {
        pid,
        maxOutput: this.#limits.maxOutput,
        onLeftover: () => this.#hold(lane),
      });
      const lane: Lane = { user, long, introduction: said, pipe, shell, taken: false };
      this.#lanes.push(lane);
      void pipe.closed.then(() => {
        this.remove(lane);
        this.#grow();
      });
      if (this.#closed === undefined) this.#offer(lane);
      else this.abandon(this.#closed);
    } catch (error) {
      this.#changing--;
      const failure = error instanceof Error ? error : new Error(String(error));
      // Short calls share one opening, and its failure.
      for (const each of [...this.#waiters])
        if (each === waiter || (!long && each.user === user && !each.long)) each.fail(failure);
    }
  }

  #offer(lane: Lane): void {
    const suited = this.#waiters.filter((w) => w.user === lane.user && w.long === lane.long);
    for (const waiter of lane.long ? suited.slice(0, 1) : suited) {
      // Taken before anybody else can look.
      take(lane);
      this.#unqueue(waiter);
      waiter.give(lane);
    }
    if (suited.length === 0 && this.#waiters.some(({ opening }) => !opening)) this.#grow();
  }

  #retire(lane: Lane): void {
    this.remove(lane);
    this.#changing++;
    lane.shell.retire();
    void lane.pipe.closed.then(() => {
      this.#changing--;
      this.#grow();
    });
  }

  // Closing it would end what the command left running, at its next line of output.
  #hold(lane: Lane): void {
    this.remove(lane);
    this.#held.push(lane.pipe);
    if (this.#held.length > HELD) this.#held.shift()?.destroy();
  }
}

const isIdle = ({ taken, shell }: Lane): boolean => !taken && shell.pending === 0;

function take(lane: Lane): Lane {
  if (lane.long) lane.taken = true;
  return lane;
}
