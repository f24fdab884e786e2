import type { Client, ClientChannel } from "ssh2";
import type { SshClient } from "./client.ts";

const MEBIBYTE = 1024 * 1024;
/** ssh2 gives each channel a window of 2 MiB and takes whatever comes all the same. */
const MOST_UNREAD = 8 * MEBIBYTE;
/** On its way when a session was ended; what comes after that is not. */
const MOST_AFTER_END = 16 * MEBIBYTE;
/** Answers to what a server asks for, which it then does not take. */
const MOST_UNSENT = 64 * MEBIBYTE;
/** Each second. sshd asks whether this side is alive, and tells how each command ended. */
const MOST_REQUESTS = 500;
/** Within as many seconds. sshd renews keys after 1 GiB, or an hour. */
const MOST_HANDSHAKES = 10;
const LOOK_MS = 1_000;

type Peer = Pick<SshClient, "lost" | "backlog" | "cut">;

/** Leaves a peer that would have this side compute, answer or keep without an end. */
export function police(client: Client, peer: Peer): void {
  let requests = 0;
  let handshakes = 0;
  client.on("handshake", () => {
    handshakes += 1;
    if (handshakes > MOST_HANDSHAKES) peer.cut("it renews the keys again and again");
  });
  countRequests(client, () => {
    requests += 1;
    if (requests === MOST_REQUESTS) peer.cut("it asks for more than any server does");
    return requests <= MOST_REQUESTS;
  });
  const timer = setInterval(() => {
    requests = 0;
    handshakes = Math.max(0, handshakes - 1);
    if (peer.backlog() > MOST_UNSENT) peer.cut("it asks for more answers than it takes");
  }, LOOK_MS);
  timer.unref();
  void peer.lost.then(() => clearInterval(timer));
}

interface Internals {
  readonly _protocol: {
    readonly _handlers: Record<string, (protocol: unknown, ...rest: unknown[]) => void>;
  };
}

// ssh2 answers them by itself, and tells nobody.
function countRequests(client: Client, isAllowed: () => boolean): void {
  const { _handlers: handlers } = (client as unknown as Internals)._protocol;
  for (const name of ["GLOBAL_REQUEST", "CHANNEL_OPEN", "CHANNEL_REQUEST"]) {
    const answer = handlers[name];
    if (answer === undefined) throw new TypeError(`this ssh2 has no handler for ${name}`);
    handlers[name] = (protocol, ...rest) => {
      // Proofs of further host keys: nobody here would want them.
      if (rest[0] === "hostkeys-00@openssh.com" || !isAllowed()) return;
      answer(protocol, ...rest);
    };
  }
}

/** The same for one channel, whose reader may be slower than the peer. */
export function policeChannel(channel: ClientChannel, { cut }: Peer): void {
  for (const stream of [channel, channel.stderr]) {
    const push = stream.push.bind(stream);
    stream.push = (chunk: Buffer | null) => {
      if (stream.readableLength <= MOST_UNREAD) return push(chunk);
      cut("it sends more than it was allowed to");
      return false;
    };
  }
}

/** Reads on after the end, or the channel would not close, but not for ever. */
export function drain(channel: ClientChannel, { cut }: Peer): void {
  let after = 0;
  for (const stream of [channel, channel.stderr])
    stream.removeAllListeners("data").on("data", (chunk: Buffer) => {
      after += chunk.length;
      if (after > MOST_AFTER_END) cut("it goes on sending after a session was ended");
    });
}
