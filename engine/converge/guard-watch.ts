import type { GuardedChange } from "../dsl/change.ts";
import { redact } from "../dsl/masking.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { script, sh } from "../host/command.ts";
import { commandFailed, lastLines } from "./command-failure.ts";
import { confirmScript, statusScript } from "./guard-script.ts";
import type { Applying } from "./reached.ts";

/** Between two looks, in ms. */
const PAUSE_MS = 500;
/** How long after its time a host may take to undo a change and answer again, in ms. */
const GRACE_MS = 90_000;

/** A guard at work on a host. */
export interface Guarding {
  readonly folder: string;
  readonly change: GuardedChange;
  /** Where the host is to answer, and where it answered before; undefined is where the inventory says. */
  readonly address: string | undefined;
  readonly home: string | undefined;
  readonly applying: Applying;
  /** On the engine's steady clock, a little before the host's own. */
  readonly deadline: number;
  readonly callMs: number;
}

type Goal = Pick<Guarding, "deadline" | "address">;

interface Status {
  readonly state: string;
  readonly why: string;
  readonly code: string;
  readonly log: readonly string[];
}

// The folder is in memory: a host that started anew has none, and nobody undid anything.
const forgotten: Status = {
  state: "stuck",
  why: "it was started anew before the change was confirmed, so the new files are in place, unconfirmed",
  code: "",
  log: [],
};

/** The host decided by itself; nothing is gained by asking again. */
class Decided extends Error {}

/** The failure to tell: a check that failed says more than the connection that the rollback then took away. */
class Reason {
  best: unknown;

  note(error: unknown): void {
    const isCheck = (given: unknown) =>
      isPlaybookError(given) && given.code === "PB_COMMAND_FAILED";
    if (!isCheck(this.best) || isCheck(error)) this.best = error;
  }
}

/** Follows a guard from the outside, over whatever connection there is. */
export class GuardWatch {
  readonly guarding: Guarding;
  constructor(guarding: Guarding) {
    this.guarding = guarding;
  }

  /** Until the command that makes the change take effect has ended well. */
  applied(): Promise<void> {
    return this.#until(this.guarding, async () => {
      const { state, why, code } = await this.status();
      if (state !== "pending" && state !== "saving" && state !== "confirmed")
        throw new Decided(why);
      return code === "0";
    });
  }

  /** A new connection, at the new address where there is one: an old one that lives on proves nothing. */
  reconnected(): Promise<void> {
    return this.#until(this.guarding, async () => {
      await this.#reconnect(this.guarding.address);
      return true;
    });
  }

  /** Until every condition of the change holds. */
  verified(): Promise<void> {
    const { change, applying } = this.guarding;
    return this.#until(this.guarding, async () => {
      for (const command of change.verify) {
        const result = await applying.on.connection.run(command, this.#options());
        if (result.code !== 0) throw commandFailed(command, result);
      }
      return true;
    });
  }

  /** Tells the host that it may keep the change. */
  confirmed(): Promise<void> {
    return this.#until(this.guarding, async () => {
      const { on } = this.guarding.applying;
      const result = await on.connection.run(
        script(confirmScript, this.guarding.folder),
        this.#options(),
      );
      if (result.code !== 0) throw new Decided("the confirmation came too late");
      return true;
    });
  }

  async status(): Promise<Status> {
    const { on } = this.guarding.applying;
    const { stdout } = await on.connection.run(
      script(statusScript, this.guarding.folder),
      this.#options(),
    );
    if (stdout === "") return forgotten;
    const [first = "", code = "", ...log] = stdout.split("\n");
    const [state = "", ...why] = first.split(" ");
    return { state, why: redact(why.join(" ")), code, log: lastLines(log.join("\n")) };
  }

  /** The end that the host came to, looked for at its old address. */
  async outcome(): Promise<Status> {
    const { clock } = this.guarding.applying;
    let found: Status | undefined;
    const until = Math.max(clock.steady(), this.guarding.deadline) + GRACE_MS;
    // A connection to the new address would only hang: what goes on is known at the old one.
    const { address, home } = this.guarding;
    let there = address === home;
    await this.#until({ deadline: until, address: home }, async () => {
      if (!there) await this.#reconnect(home);
      there = true;
      found = await this.status();
      return !["saving", "pending", "reverting"].includes(found.state);
    });
    if (found === undefined) throw new TypeError("a status was read");
    return found;
  }

  /** Takes away what the command printed, once it was told: it may have been secret. */
  async forget(): Promise<void> {
    const { on } = this.guarding.applying;
    await on.connection.run(sh`rm -f -- ${`${this.guarding.folder}/log`}`, this.#options());
  }

  async #reconnect(address: string | undefined): Promise<void> {
    const { applying, callMs } = this.guarding;
    await applying.on.reconnect({ to: { address }, timeoutMs: callMs });
  }

  // Tries until it is true; a connection that fails on the way is replaced, at the given address.
  async #until({ deadline, address }: Goal, attempt: () => Promise<boolean>): Promise<void> {
    const { clock, manner } = this.guarding.applying;
    const seen = new Reason();
    while (clock.steady() < deadline) {
      try {
        if (await attempt()) return;
      } catch (error) {
        if (error instanceof Decided || manner.signal.aborted || !isPlaybookError(error))
          throw error;
        seen.note(error);
        if (error.code !== "PB_COMMAND_FAILED")
          await this.#reconnect(address).catch((failed: unknown) => seen.note(failed));
      }
      await clock.wait(PAUSE_MS, manner.signal);
    }
    throw seen.best ?? new Decided("it was not ready in time");
  }

  #options() {
    const { manner } = this.guarding.applying;
    return { as: "root", timeoutMs: this.guarding.callMs, signal: manner.signal };
  }
}

/** Waits for the host to undo what could not be confirmed, and says why it had to. Returns where it was confirmed. */
export async function awaitRollback(watch: GuardWatch, cause: unknown): Promise<void> {
  const { change, applying } = watch.guarding;
  const host = applying.on.name;
  const end = await watch.outcome().catch((error: unknown) => {
    if (applying.manner.signal.aborted) throw error;
    throw new PlaybookError("PB_HOST_LOST", [host, GRACE_MS / 1000], {}, { cause: error });
  });
  if (end.state === "confirmed") return;
  // Else it goes with the next guard, or when the host is started anew.
  await watch.forget().catch(() => undefined);
  throw notKept(end, change, { host, cause });
}

function notKept(
  { state, why, log }: Status,
  { say }: GuardedChange,
  { host, cause }: { host: string; cause: unknown },
): PlaybookError {
  const asBefore = `nothing was changed on ${host}`;
  if (state === "failed")
    return new PlaybookError("PB_GUARD_FAILED", [host, why], { state: asBefore, output: log });
  if (state === "stuck")
    return new PlaybookError("PB_ROLLBACK_FAILED", [host, why], { output: log }, { cause });
  const reason = isPlaybookError(cause) ? cause.message : why;
  const undone = { state: `${host} works as before, without "${redact(say)}"`, output: log };
  return new PlaybookError("PB_ROLLED_BACK", [host, reason], undone, { cause });
}
