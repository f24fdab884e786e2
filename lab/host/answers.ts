import { connect } from "node:net";
import { readText } from "../machine/files.ts";

const SSH = 22;
const LISTENING = "0A";
const TENTATIVE = 0x40;

/** How far a host has come on its way to answering ssh. */
export type Readiness = "no address" | "address tentative" | "no ssh server" | "silent" | "ready";

/**
 * Looks into the host's network before knocking: a connection to an address that is not there yet costs a second of
 * neighbour discovery, and sshd counts connections that break off against their source. Without an address it does not
 * knock at all.
 */
export async function readiness(pid: number, address: string | undefined): Promise<Readiness> {
  const [addresses, sockets] = await Promise.all([
    readText(`/proc/${pid}/net/if_inet6`),
    readText(`/proc/${pid}/net/tcp6`),
  ]);
  const state = addressState(addresses ?? "");
  if (state !== "usable") return state;
  if (!listensOn(sockets ?? "", SSH)) return "no ssh server";
  return address === undefined || (await greets(address)) ? "ready" : "silent";
}

/** Whether /proc/net/if_inet6 shows a global address that other hosts can reach already. */
export function addressState(text: string): "no address" | "address tentative" | "usable" {
  const global = text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , scope]) => scope === "00");
  if (global.length === 0) return "no address";
  const usable = global.some(
    ([, , , , flags = ""]) => (Number.parseInt(flags, 16) & TENTATIVE) === 0,
  );
  return usable ? "usable" : "address tentative";
}

/** Whether /proc/net/tcp6 shows a server on the port. */
export function listensOn(text: string, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .some(([, local = "", , state]) => local.endsWith(suffix) && state === LISTENING);
}

function greets(address: string, timeoutMs = 2000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: SSH });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
    socket.once("data", (greeting) => settle(greeting.toString("latin1").startsWith("SSH-2.0")));
  });
}
