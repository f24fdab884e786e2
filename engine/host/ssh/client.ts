import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { NodeSSH } from "node-ssh";
import type { Client } from "ssh2";
import { PlaybookError } from "../../errors/error.ts";
import { left, within } from "../deadline.ts";
import { errnoCode } from "../errno.ts";
import type { HostKeys } from "./host-key.ts";
import { useKeyObjects } from "./key-objects.ts";
import type { Passport } from "./passports.ts";
import { police } from "./police.ts";
import type { Route } from "./route.ts";

const KEEPALIVE = { keepaliveInterval: 5_000, keepaliveCountMax: 3 };

/** Ms for what is still on its way when the connection is ended. */
const GOODBYE = 1_000;

/** A peer that hung up before a login could succeed, as sshd does for a while: another attempt is worth it. */
export class Dropped extends Error {
  /** Its words, where it had any. */
  readonly said: string;

  constructor(message: string, said: string, options?: ErrorOptions) {
    super(message, options);
    this.said = said;
  }
}

/** What sshd says in place of its version when it turns a client away for a while. */
const TURNED_AWAY = /^(Exceeded MaxStartups|Not allowed at this time)/;
/** What pam_nologin says, by way of sshd, while a host starts or stops. */
const NOT_YET = /System is (booting up|going down)|[Uu]nprivileged users are not permitted/;

/** One authenticated SSH connection. */
export interface SshClient {
  readonly client: Client;
  /** Settles with the reason when the peer is gone. */
  readonly lost: Promise<Error>;
  /** Bytes that were handed over for the peer and that it has not taken yet. */
  backlog(): number;
  /** Ends it once all is on its way; a peer that takes nothing any more is left after a second. */
  end(): Promise<void>;
  /** Leaves at once a peer that does what no server does. */
  cut(why: string): void;
}

export interface ClientOptions {
  /** Point in time, as deadlineIn gives it. */
  readonly until: number;
  readonly keepalive?: { readonly keepaliveInterval: number; readonly keepaliveCountMax: number };
}

/** Preferences in ssh2's own order; SHA-1 signatures are left out. */
const HOST_KEY_ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** Shakes hands over a connected socket (or a jump host's forward): host key first, then the user's keys. */
export async function authenticate(
  sock: Duplex,
  passport: Passport,
  options: ClientOptions,
): Promise<SshClient> {
  try {
    return await new Handshake(sock, passport.route, options).run(passport);
  } catch (error) {
    sock.destroy();
    throw error;
  }
}

class Handshake {
  readonly #sock: Duplex;
  readonly #route: Route;
  readonly #options: ClientOptions;
  readonly #where: string;
  #verdict: PlaybookError | undefined;
  #fresh: Buffer | undefined;
  #complete = false;
  #heard = Buffer.alloc(0);
  #banner = "";

  constructor(sock: Duplex, route: Route, options: ClientOptions) {
    this.#sock = sock;
    this.#route = route;
    this.#options = options;
    this.#where = route.addr.hostPort(route.port);
    // Without a listener an error of the socket, as early as now, would end the process.
    sock.on("error", () => undefined);
  }

  async run({ keys, login: { methods, tried } }: Passport): Promise<SshClient> {
    const started = performance.now();
    const ssh = new NodeSSH();
    const queue = [...methods];
    this.#listenWithSsh2();
    const connecting = ssh.connect({
      sock: this.#sock,
      username: this.#route.user,
      ...KEEPALIVE,
      ...this.#options.keepalive,
      readyTimeout: Math.max(1, left(this.#options.until)),
      algorithms: {
        serverHostKey: preferred(keys.types) as never,
        // A few bytes could become a thousand times as many.
        compress: ["none"],
      },
      hostVerifier: (key: Buffer) => this.#trusts(keys, key),
      authHandler: (_left, _partial, next) => {
        const method = queue.shift();
        // ssh2 takes false for "nothing left to try"; its types know only names.
        next(method ?? (false as never));
      },
    });
    const { connection: client } = ssh;
    if (!client) throw new Error("node-ssh made no connection");
    // node-ssh drops its listener when the connection is up: a reset would then end the process.
    const { lost, lose } = whenLost(client);
    const cut = (why: string) => {
      lose(new Error(why));
      client.destroy();
    };
    const backlog = () => this.#sock.writableLength;
    useKeyObjects(client);
    client.on("banner", (text) => {
      this.#banner = printable(Buffer.from(text));
    });
    client.once("handshake", () => {
      this.#complete = true;
      this.#sock.off("data", this.#hear);
      police(client, { lost, backlog, cut });
    });
    try {
      await connecting;
    } catch (error) {
      throw this.#explain(error, tried, performance.now() - started);
    }
    if (this.#fresh) await keys.remember(this.#fresh);
    return { client, lost, backlog, cut, end: () => end(this.#sock, lost) };
  }

  // Not before ssh2 does (it first loads its ciphers): a socket with a listener flows, and ssh2 would miss the start.
  #listenWithSsh2(): void {
    const attach = (event: string | symbol) => {
      if (event !== "data") return;
      this.#sock.off("newListener", attach);
      this.#sock.on("data", this.#hear);
    };
    this.#sock.on("newListener", attach);
  }

  #hear = (chunk: Buffer): void => {
    if (this.#heard.length < 256) this.#heard = Buffer.concat([this.#heard, chunk]);
  };

  // Called again when keys are renegotiated: what was accepted once must stay.
  #trusts(keys: HostKeys, key: Buffer): boolean {
    if (this.#fresh) return this.#fresh.equals(key);
    const verdict = keys.judge(key);
    if (verdict === "new") this.#fresh = Buffer.from(key);
    else this.#verdict = verdict;
    return verdict === "new" || verdict === undefined;
  }

  #explain(error: unknown, tried: readonly string[], ms: number): Error {
    if (this.#verdict) return this.#verdict;
    const cause = { cause: error };
    const { message, level } = detailsOf(error);
    const seconds = Math.round(ms / 100) / 10;
    if (level === "client-timeout")
      return new PlaybookError("PB_CONNECT_SILENT", [this.#where, seconds], {}, cause);
    if (NOT_YET.test(this.#banner)) return new Dropped(message, this.#banner, cause);
    if (level === "client-authentication" || this.#complete)
      return new PlaybookError("PB_AUTH_FAILED", [this.#route.user, this.#where, tried], {}, cause);
    if (/no matching/i.test(message))
      return new PlaybookError("PB_CONNECT_NO_COMMON", [this.#where, message], {}, cause);
    const said = printable(this.#heard);
    // A server may say something else before its version.
    if (said === "" || /^SSH-/m.test(this.#heard.toString("latin1")))
      return new Dropped(message, "", cause);
    if (TURNED_AWAY.test(said)) return new Dropped(message, said, cause);
    return new PlaybookError("PB_CONNECT_NOT_SSH", [this.#where, `it said "${said}"`], {}, cause);
  }
}

function detailsOf(error: unknown): { message: string; level: string } {
  const message = error instanceof Error ? error.message : String(error);
  const level = error instanceof Error && "level" in error ? String(error.level) : "";
  return { message, level };
}

const printable = (heard: Buffer): string =>
  heard
    .toString("latin1")
    .replace(/[^\x20-\x7e\n]+/g, "")
    .trim()
    .split("\n")[0]
    ?.slice(0, 80) ?? "";

// The types that are known come first: the server then shows the key that can be checked.
function preferred(types: readonly string[]): string[] {
  const known = types.flatMap((type) => HOST_KEY_ALGORITHMS[type] ?? []);
  return [...new Set([...known, ...Object.values(HOST_KEY_ALGORITHMS).flat()])];
}

// The end of the stream and no more: sshd heeds a message of it ahead of what it has not handed to a command yet. Nor is
// its answer waited for, but through a jump host: whoever leaves that takes along what is still on its way.
async function end(sock: Duplex, lost: Promise<Error>): Promise<void> {
  if (sock instanceof Socket) sock.destroySoon();
  else sock.end();
  try {
    await within(GOODBYE, lost, () => new Error("no answer"));
  } catch {
    sock.destroy();
  }
}

function whenLost(client: Client) {
  const { promise: lost, resolve: lose } = Promise.withResolvers<Error>();
  client.on("error", (error) => lose(new Error(plain(error), { cause: error })));
  client.on("end", () => lose(new Error("the host closed it")));
  client.on("close", () => lose(new Error("the host closed it")));
  return { lost, lose };
}

function plain(error: Error): string {
  const code = errnoCode(error);
  if (code === "ECONNRESET") return "the host reset it";
  if (error.message === "Keepalive timeout") return "the host does not answer any more";
  return error.message;
}
