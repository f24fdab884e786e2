import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";

/** What a host does that no host should; whatever is not given is done properly, on a real shell. */
export interface Mischief {
  /** In place of SSH: what becomes of the bare connection. */
  readonly socket?: (socket: Socket) => void;
  /** Shown before anybody is let in. */
  readonly banner?: string;
  readonly auth?: (context: AuthContext) => void;
  /** Once somebody is logged in. */
  readonly ready?: (connection: Wired) => void;
  /** Answers no request for a command. */
  readonly deaf?: boolean;
  /** In place of running a command. */
  readonly exec?: (session: Session) => void;
  /** Once the client's command, or its words on stdin, hold `word`: the real shell goes on behind it unless it is muted. */
  readonly trigger?: (session: Session) => void;
  /** "mischief" unless given. */
  readonly word?: string;
  /** Between the real shell and the client. */
  readonly stdout?: (chunk: Buffer, session: Session) => Buffer;
}

export interface Session {
  readonly channel: ServerChannel;
  readonly wired: Wired;
  readonly command: string;
  /** What the client wrote so far, the end of it. */
  readonly heard: () => string;
  /** The marks of the calls that wait, in order: what a host has to know to answer in its shell's place. */
  readonly waiting: () => string[];
  /** The shell behind; undefined where `exec` took its place. */
  readonly child: ChildProcess | undefined;
  /** Stops passing on what the real shell says. */
  mute(): void;
}

/** ssh2's own parts, to do what its interface would not. */
interface Wired {
  readonly client: Connection;
  readonly socket: Socket;
  /** Sends again and again, as fast as the other side takes it, or faster where it is told to. */
  flood(send: (protocol: Protocol) => void): void;
}

/** Of ssh2's Protocol what is used here. */
export interface Protocol {
  channelData(id: number, data: Buffer): void;
  channelExtData(id: number, data: Buffer, type: number): void;
  channelClose(id: number): void;
  channelEOF(id: number): void;
  exitStatus(id: number, code: number): void;
  rekey(): void;
  ping(): void;
}

export interface HostileHost {
  readonly port: number;
  stop(): Promise<void>;
}

/** The key that all of them show. */
export function hostKey(): { readonly folder: string; readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), "hostile-"));
  const path = join(folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path]);
  return { folder, path };
}

/** An SSH server on a free port of [::1] that lets everybody in, and does what it is told to. */
export async function hostileHost(key: string, mischief: Mischief = {}): Promise<HostileHost> {
  const sockets = new Set<Socket>();
  const children = new Set<ChildProcess>();
  const { banner = "" } = mischief;
  const ssh = new ssh2.Server({ hostKeys: [readFileSync(key)], banner }, (client) => {
    const wired = wire(client);
    client.on("error", () => undefined);
    client.on("authentication", mischief.auth ?? ((context) => context.accept()));
    client.on("ready", () => mischief.ready?.(wired));
    client.on("session", (accept) => {
      accept().on("exec", (agree, _reject, { command }) => {
        if (mischief.deaf) return;
        const channel = agree();
        channel.on("error", () => undefined);
        const session = behave(channel, command, { wired, mischief, children });
        mischief.exec?.(session);
      });
    });
  });
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    if (mischief.socket) mischief.socket(socket);
    else ssh.injectSocket(socket);
  });
  server.listen(0, "::1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    port,
    async stop() {
      for (const child of children) child.kill("SIGKILL");
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const protocolOf = (client: Connection) => (client as unknown as { _protocol: Protocol })._protocol;

function wire(client: Connection): Wired {
  const { _sock: socket } = client as unknown as { _sock: Socket };
  return {
    client,
    socket,
    flood(send) {
      const more = () => {
        if (socket.destroyed) return;
        for (let n = 0; n < 64 && socket.writableLength < 4_000_000; n++) send(protocolOf(client));
        setImmediate(more);
      };
      more();
    },
  };
}

interface Stage {
  readonly wired: Wired;
  readonly mischief: Mischief;
  readonly children: Set<ChildProcess>;
}

function behave(channel: ServerChannel, command: string, stage: Stage): Session {
  const { wired, mischief, children } = stage;
  let heard = "";
  let said = "";
  let muted = false;
  const child =
    mischief.exec === undefined
      ? spawn("/bin/sh", ["-c", command], { stdio: ["pipe", "pipe", "pipe"] })
      : undefined;
  const session: Session = {
    channel,
    wired,
    command,
    child,
    heard: () => heard,
    waiting: () => marksIn(heard).filter((mark) => !said.includes(mark)),
    mute: () => {
      muted = true;
    },
  };
  let triggered = false;
  const look = () => {
    const { trigger, word = "mischief" } = mischief;
    if (triggered || trigger === undefined || !(command + heard).includes(word)) return;
    triggered = true;
    trigger(session);
  };
  channel.on("data", (chunk: Buffer) => {
    heard = (heard + chunk.toString("latin1")).slice(-200_000);
    child?.stdin?.write(chunk);
    look();
  });
  setImmediate(look);
  channel.on("end", () => child?.stdin?.end());
  if (child === undefined) return session;
  children.add(child);
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (chunk: Buffer) => {
    if (muted) return;
    said = (said + chunk.toString("latin1")).slice(-200_000);
    channel.write(mischief.stdout?.(chunk, session) ?? chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    if (!muted) channel.stderr.write(chunk);
  });
  child.once("close", (code) => {
    children.delete(child);
    if (muted) return;
    channel.exit(code ?? 255);
    channel.end();
  });
  return session;
}

/** The id by which the client knows a channel. */
export const idOf = (channel: ServerChannel): number =>
  (channel as unknown as { outgoing: { id: number } }).outgoing.id;

const marksIn = (heard: string): string[] =>
  Array.from(heard.matchAll(/^_pb_b ([0-9a-f]{24})$/gm), ([, mark = ""]) => mark);
