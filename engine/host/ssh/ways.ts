import type { Duplex } from "node:stream";
import { isPlaybookError, PlaybookError } from "../../errors/error.ts";
import { left, within } from "../deadline.ts";
import { errnoCode } from "../errno.ts";
import { authenticate, type ClientOptions, Dropped, type SshClient } from "./client.ts";
import { HandshakeGate } from "./gate.ts";
import { Passports } from "./passports.ts";
import type { Route } from "./route.ts";
import { connectSocket } from "./socket.ts";

interface Shared {
  readonly ssh: Promise<SshClient>;
  users: number;
}

/** A connection, and what gives back the way it came by. */
export interface Arrival {
  readonly ssh: SshClient;
  leave(): void;
}

/** Makes connections, directly or through jump hosts; all that go through one jump host share one connection to it. */
export class Ways {
  readonly #gate: HandshakeGate;
  readonly #passports = new Passports();
  readonly #jumps = new Map<string, Shared>();

  constructor(gate = new HandshakeGate()) {
    this.#gate = gate;
  }

  async arrive(route: Route, options: ClientOptions): Promise<Arrival> {
    const { until } = options;
    const where = route.addr.hostPort(route.port);
    const jump = route.jumps.length > 0 ? await this.#borrow(route.jumps, options) : undefined;
    try {
      const passport = await this.#passports.for(route);
      const place = jump ? `${where} through ${jump.key}` : where;
      const ssh = await this.#gate.pass(place, until, async () => {
        const sock = jump
          ? await this.#forward(jump.ssh, route, until)
          : await directly(route, until);
        return authenticate(sock, passport, options);
      });
      return { ssh, leave: () => jump?.giveBack() };
    } catch (error) {
      jump?.giveBack();
      throw error;
    }
  }

  async #borrow(jumps: readonly Route[], options: ClientOptions) {
    const key = jumps.map(({ user, addr }) => `${user}@${addr}`).join(",");
    const shared = this.#jumps.get(key) ?? { ssh: this.#reach(jumps, options), users: 0 };
    this.#jumps.set(key, shared);
    shared.users++;
    let held = true;
    const giveBack = () => {
      if (!held) return;
      held = false;
      shared.users--;
      if (shared.users > 0) return;
      if (this.#jumps.get(key) === shared) this.#jumps.delete(key);
      shared.ssh.then((ssh) => ssh.end()).catch(() => undefined);
    };
    try {
      const late = () => new PlaybookError("PB_JUMP_FAILED", [key, "it was not reached in time."]);
      const ssh = await within(left(options.until), shared.ssh, late);
      void ssh.lost.then(() => this.#jumps.get(key) === shared && this.#jumps.delete(key));
      return { key, ssh, giveBack };
    } catch (error) {
      if (this.#jumps.get(key) === shared) this.#jumps.delete(key);
      giveBack();
      if (isPlaybookError(error) && error.code === "PB_JUMP_FAILED") throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new PlaybookError("PB_JUMP_FAILED", [key, why], hintOf(error), { cause: error });
    }
  }

  async #reach(jumps: readonly Route[], options: ClientOptions): Promise<SshClient> {
    const last = jumps.at(-1);
    if (!last) throw new Error("a way through no host");
    const { ssh, leave } = await this.arrive({ ...last, jumps: jumps.slice(0, -1) }, options);
    void ssh.lost.then(leave);
    return ssh;
  }

  async #forward({ client }: SshClient, { addr, port }: Route, until: number): Promise<Duplex> {
    const opened = new Promise<Duplex>((resolve, reject) => {
      client.forwardOut("::1", 0, addr.ssh(), port, (error, channel) => {
        if (error) reject(error);
        else resolve(channel);
      });
    });
    const where = addr.hostPort(port);
    try {
      return await within(left(until), opened, () => new Error("no answer in time"));
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const why = `from the jump host: ${said.replace("(SSH) Channel open failure: ", "")}`;
      throw new PlaybookError("PB_CONNECT_UNREACHABLE", [where, why], {}, { cause: error });
    }
  }
}

const hintOf = (error: unknown) => (isPlaybookError(error) ? { hint: error.hint } : {});

async function directly({ addr, port }: Route, until: number): Promise<Duplex> {
  try {
    return await connectSocket(addr, port, left(until));
  } catch (error) {
    if (errnoCode(error) === "ECONNRESET")
      throw new Dropped("reset before the handshake", "", { cause: error });
    throw error;
  }
}
