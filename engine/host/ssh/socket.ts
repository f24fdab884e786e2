import { connect, type Socket } from "node:net";
import { PlaybookError } from "../../errors/error.ts";
import type { HostAddr } from "../../net/host-addr.ts";
import { errnoCode, errnoText } from "../errno.ts";

const UNREACHABLE: Readonly<Record<string, string>> = {
  EHOSTUNREACH: "no route to the host, or nobody answers there",
  ENETUNREACH: "no route to its network",
  ENETDOWN: "the network is down",
  ETIMEDOUT: "no answer",
  EADDRNOTAVAIL: "this machine has no address of that family",
  EINVAL: "the address does not fit the interface",
  ENODEV: "there is no such interface",
  EACCES: "the local firewall or policy forbids it",
};

/**
 * A TCP connection without Nagle's algorithm from the first byte: with it, each small exchange of the handshake and
 * of every call waits 40 ms for a delayed acknowledgement.
 */
export function connectSocket(addr: HostAddr, port: number, timeoutMs: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host: addr.ssh(), port, noDelay: true });
  const timer = setTimeout(() => {
    socket.destroy();
    const seconds = Math.round(timeoutMs / 100) / 10;
    reject(
      new PlaybookError("PB_CONNECT_UNREACHABLE", [
        addr.hostPort(port),
        `no answer within ${seconds} s`,
      ]),
    );
  }, timeoutMs);
  socket.once("connect", () => {
    clearTimeout(timer);
    socket.off("error", fail);
    resolve(inOnePiece(socket));
  });
  const fail = (error: Error) => {
    clearTimeout(timer);
    reject(explain(error, addr, port));
  };
  socket.once("error", fail);
  return promise;
}

/** What is written in one go leaves in one piece: ssh2 writes length, content and seal of each packet one by one. */
function inOnePiece(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let held = false;
  const gather = (...args: unknown[]) => {
    if (!held) {
      held = true;
      socket.cork();
      process.nextTick(() => {
        held = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
  return Object.assign(socket, { write: gather });
}

function explain(error: Error, addr: HostAddr, port: number): Error {
  const code = errnoCode(error) ?? "";
  const cause = { cause: error };
  const where = addr.hostPort(port);
  if (code === "ECONNREFUSED") return new PlaybookError("PB_CONNECT_REFUSED", [where], {}, cause);
  if (code === "ECONNRESET") return error;
  if (["ENOTFOUND", "EAI_AGAIN", "EAI_NODATA", "EAI_NONAME"].includes(code)) {
    const why = code === "EAI_AGAIN" ? "the name server does not answer" : "no such name";
    return new PlaybookError("PB_CONNECT_UNRESOLVED", [addr.host, why], {}, cause);
  }
  const why = UNREACHABLE[code] ?? errnoText(error);
  return new PlaybookError("PB_CONNECT_UNREACHABLE", [where, why], {}, cause);
}
