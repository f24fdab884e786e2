import { PlaybookError } from "../../errors/error.ts";
import { left } from "../deadline.ts";
import { Semaphore } from "../semaphore.ts";
import { Dropped } from "./client.ts";

/** sshd begins to shed at ten unauthenticated connections (MaxStartups 10:30:100). */
const HANDSHAKES = 8;
/** Before the second attempt, and at most before any, ms; each is spread over half to one and a half times as much. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 2_000;

/** Keeps the handshakes with one sshd below what it sheds, and tries again until the deadline where it turns one away. */
export class HandshakeGate {
  readonly #places = new Map<string, Semaphore>();
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  async pass<T>(where: string, until: number, handshake: () => Promise<T>): Promise<T> {
    const places = this.#places.get(where) ?? new Semaphore(HANDSHAKES);
    this.#places.set(where, places);
    const began = performance.now();
    const seconds = () => Math.round((performance.now() - began) / 100) / 10;
    let dropped: Dropped | undefined;
    for (let attempt = 1; ; attempt++) {
      const busy = () => turnedAway(where, { attempts: attempt - 1, seconds: seconds(), dropped });
      const release = await places.acquire(left(until), busy);
      try {
        return await handshake();
      } catch (error) {
        if (!(error instanceof Dropped)) throw error;
        dropped = error;
      } finally {
        release();
      }
      const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1));
      const rest = left(until);
      if (rest < FIRST_PAUSE)
        throw turnedAway(where, { attempts: attempt, seconds: seconds(), dropped });
      const spread = Math.min(pause * (0.5 + this.#random()), rest / 2);
      await new Promise((resolve) => setTimeout(resolve, spread));
    }
  }
}

interface Refusals {
  readonly attempts: number;
  readonly seconds: number;
  readonly dropped: Dropped | undefined;
}

/** What it means that sshd still turns this side away at the deadline. */
function turnedAway(where: string, { attempts, seconds, dropped }: Refusals): PlaybookError {
  const cause = { cause: dropped };
  const said = dropped?.said ?? "";
  if (attempts === 0)
    return new PlaybookError("PB_CONNECT_SILENT", [where, seconds], {
      hint: "Other handshakes with it are under way and take all of the time: look at its load, lower --forks.",
    });
  if (said === "") return new PlaybookError("PB_CONNECT_DROPPED", [where, attempts], {}, cause);
  const hint = HINTS.find(([words]) => words.test(said))?.[1];
  const context = hint === undefined ? {} : { hint };
  return new PlaybookError("PB_CONNECT_TURNED_AWAY", [where, seconds, said], context, cause);
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /Not allowed at this time/,
    "sshd penalises this machine's address after failed logins or broken handshakes (PerSourcePenalties, on by " +
      "default since OpenSSH 9.8). It ends by itself after 15 s to 10 min. Find the cause with `journalctl -u ssh " +
      "--grep penalty`; exempt this machine with PerSourcePenaltyExemptList.",
  ],
  [
    /MaxStartups/,
    "Too many logins are under way at that sshd: lower --forks, raise MaxStartups (10:30:100 by default), or look " +
      "for whoever else connects to it.",
  ],
];
