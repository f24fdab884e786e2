import { isPlaybookError, PlaybookError } from "../../errors/error.ts";
import { deadlineIn, left, within } from "../deadline.ts";
import { type Call, type Reply, ShellGone } from "./call.ts";
import { FramedShell } from "./framed-shell.ts";
import { defaultLimits, type Lane, type LaneLimits, Lanes } from "./lanes.ts";
import { type Identity, launch } from "./launch.ts";
import type { OpenPipe } from "./pipe.ts";
import type { Work } from "./request.ts";

const DEFAULT_TIMEOUT = 60_000;
/** Ms in which the host has to confirm that a call was ended. */
const STOP_GRACE = 5_000;
const ATTEMPTS = 4;

export interface CallSettings {
  readonly as?: string;
  readonly timeoutMs?: number;
  readonly long?: boolean;
  readonly signal?: AbortSignal;
}

/** What is done last, and by whom. */
export interface LastWork extends Pick<CallSettings, "as"> {
  readonly work: Work;
}

interface Deadline extends CallSettings {
  /** Point in time, as deadlineIn gives it. */
  readonly until: number;
  readonly timeoutMs: number;
}

/** Calls on one host: each with a deadline, and none left running there when it is given up. */
export class Calls {
  readonly #open: OpenPipe;
  readonly #identity: Identity;
  readonly #lanes: Lanes;
  #closing = false;

  constructor(open: OpenPipe, identity: Identity, limits: Partial<LaneLimits> = {}) {
    this.#open = open;
    this.#identity = identity;
    this.#lanes = new Lanes(open, identity, { ...defaultLimits, ...limits });
  }

  /** One call; one that never began because its shell ended is made again. */
  async call(work: Work, settings: CallSettings = {}): Promise<Reply> {
    const { as, long = false, timeoutMs = DEFAULT_TIMEOUT, signal } = settings;
    if (signal?.aborted) throw new PlaybookError("PB_INTERRUPTED", [work.what]);
    const deadline = { ...settings, timeoutMs, until: deadlineIn(timeoutMs) };
    const user = as ?? this.#identity.loginUser;
    const late = () => timeout(work.what, timeoutMs, "it had not begun");
    for (let attempt = 1; ; attempt++) {
      const lane = await this.#lanes.get({ user, long, until: deadline.until, late });
      try {
        return this.#checked(await this.#answer(lane, lane.shell.submit(work), deadline));
      } catch (error) {
        if (!(error instanceof ShellGone)) throw error;
        const { closed } = this.#lanes;
        if (error.started || this.#closing || closed !== undefined || attempt === ATTEMPTS)
          throw new PlaybookError("PB_CONNECTION_LOST", [
            this.#identity.host,
            closed ?? error.message,
          ]);
      } finally {
        this.#lanes.giveBack(lane);
      }
    }
  }

  /** How the host introduced itself to the login user. */
  async introduction({ timeoutMs = DEFAULT_TIMEOUT }: CallSettings = {}): Promise<string> {
    const late = () => timeout("the host's introduction", timeoutMs, "it had not begun");
    const request = { user: this.#identity.loginUser, long: false, late };
    const lane = await this.#lanes.get({ ...request, until: deadlineIn(timeoutMs) });
    this.#lanes.giveBack(lane);
    return lane.introduction;
  }

  /** Ends the calls that run, then every shell; `last` is on its way by then. */
  async close(reason: string, last?: LastWork): Promise<void> {
    this.#closing = true;
    const { busy } = this.#lanes;
    // Told to stop, they begin nothing more: the last call is not for them.
    for (const lane of busy) this.#lanes.remove(lane);
    await Promise.all(busy.map((lane) => this.#endAll(lane)));
    if (last !== undefined) await this.#makeLast(last);
    this.#lanes.abandon(reason);
    for (const { shell } of busy) shell.destroy();
  }

  /** Ends a shell that is at nothing, so that the server has a session for another; false where each is busy. */
  giveUpIdle(): Promise<boolean> {
    return this.#lanes.giveUpIdle();
  }

  /** Drops everything at once: the connection is gone. */
  abandon(reason: string): void {
    this.#lanes.abandon(reason);
  }

  // What our own closing ended gave no answer of its own.
  #checked(reply: Reply): Reply {
    if (this.#closing && reply.code > 128) throw new ShellGone(true, "it was closed");
    return reply;
  }

  async #answer(lane: Lane, call: Call, deadline: Deadline): Promise<Reply> {
    const { signal, until, timeoutMs } = deadline;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(new PlaybookError("PB_INTERRUPTED", [call.what]));
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await within(left(until), Promise.race([call.reply, aborted.promise]), async () =>
        timeout(call.what, timeoutMs, await this.#stop(lane, call)),
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
      this.#lanes.remove(lane);
      lane.shell.destroy();
      const why = error instanceof Error ? error.message : String(error);
      return `it may still run on the host (it could not be ended: ${why})`;
    }
  }

  async #endOne(lane: Lane, call: Call): Promise<string> {
    const fate = { begun: true };
    const settled = call.reply.then(
      () => undefined,
      (error: unknown) => {
        fate.begun = !(error instanceof ShellGone) || error.started;
      },
    );
    // The shell stops before its next call; those that wait behind are made again elsewhere.
    this.#lanes.remove(lane);
    await this.#control(lane.user, async (shell) => {
      await shell.submit(control(`kill -TERM ${lane.shell.pid}`)).reply;
      // What the shell said before this is read first.
      await new Promise((resolve) => setImmediate(resolve));
      if (call.state() === "first")
        await shell.submit(control(`_pb_kill_below ${lane.shell.pid}`)).reply;
    });
    if (call.state() === "behind") fate.begun = false;
    else await settled;
    lane.shell.retire();
    return fate.begun ? "its processes on the host were ended" : "it had not begun";
  }

  // Where no shell is free for it, it is waited for: the way to a new one is as long.
  async #makeLast({ work, as = this.#identity.loginUser }: LastWork): Promise<void> {
    const made =
      this.#lanes.takeIdle(as)?.shell.last(work) ?? this.call(work, { as, timeoutMs: STOP_GRACE });
    await within(
      STOP_GRACE,
      Promise.resolve(made),
      () => new Error("the host did not answer"),
    ).catch(() => undefined);
  }

  async #endAll({ user, shell }: Lane): Promise<void> {
    const { pid } = shell;
    const ended = this.#control(user, async (other) => {
      await other.submit(control(`kill -TERM ${pid}; _pb_kill_below ${pid}`)).reply;
    });
    await within(STOP_GRACE, ended, () => new Error("the host did not answer")).catch(
      // Closing goes on: that the peer is gone may be why things are being closed.
      () => undefined,
    );
    shell.retire();
  }

  /** A shell of its own for ending another's work; it may use the place that is kept free for that. */
  async #control(as: string, act: (shell: FramedShell) => Promise<void>): Promise<void> {
    const { pipe, pid } = await launch(this.#open, this.#identity, {
      as,
      timeoutMs: STOP_GRACE,
      reserved: true,
    });
    const shell = new FramedShell(pipe, { pid, maxOutput: 65_536, onLeftover: () => undefined });
    try {
      await act(shell);
    } finally {
      shell.destroy();
    }
  }
}

const control = (body: string): Work => ({ what: "ending a call", body, grouped: false });

const timeout = (what: string, ms: number, state: string) =>
  new PlaybookError("PB_TIMEOUT", [what, Math.round(ms / 100) / 10], { state });
