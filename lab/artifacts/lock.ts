import { createHash } from "node:crypto";
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { PlaybookError } from "#engine/errors/error.ts";

interface LockRequest {
  /** What is locked, usually a path. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** A holder that takes longer is an error that names it; 45 min unless given. */
  readonly patienceMs?: number;
}

/**
 * Does the work while no other process of this machine does it under the same name. The lock is a socket in the
 * kernel's abstract namespace: the kernel drops it however its holder ends, so there is no stale lock to recognise, and
 * who waits is told by its connection's end.
 */
export async function withLock<T>(request: LockRequest, work: () => Promise<T>): Promise<T> {
  const address = `\0run-playbook/${createHash("sha256").update(request.name).digest("hex")}`;
  const until = Date.now() + (request.patienceMs ?? 45 * 60_000);
  let held = await tryToHold(address);
  while (held === undefined) {
    await holderGone(address, request, until);
    held = await tryToHold(address);
  }
  try {
    return await work();
  } finally {
    held.release();
  }
}

async function tryToHold(address: string): Promise<{ release(): void } | undefined> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on("close", () => waiting.delete(socket));
    // A waiting process may be ended at any time; that is no concern of the holder's.
    socket.on("error", () => waiting.delete(socket));
    socket.write(`${process.pid}\n`);
  });
  server.listen(address);
  try {
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return undefined;
    throw error;
  }
  const release = () => {
    server.close();
    for (const socket of waiting) socket.destroy();
  };
  return { release };
}

/** Settles when the holder let go or is gone. */
async function holderGone(address: string, request: LockRequest, until: number): Promise<void> {
  request.signal.throwIfAborted();
  let holder = "";
  const socket = createConnection(address);
  const patience = AbortSignal.any([
    request.signal,
    AbortSignal.timeout(Math.max(1, until - Date.now())),
  ]);
  const stop = () => socket.destroy();
  patience.addEventListener("abort", stop, { once: true });
  socket.on("data", (chunk) => {
    holder += chunk.toString("latin1");
  });
  // Refused or reset: the holder went between the two looks at it; the caller tries again.
  socket.on("error", stop);
  await new Promise((resolve) => socket.on("close", resolve));
  patience.removeEventListener("abort", stop);
  request.signal.throwIfAborted();
  if (patience.aborted) {
    const minutes = Math.round((request.patienceMs ?? 45 * 60_000) / 60_000);
    throw new PlaybookError("PB_ARTIFACT_LOCKED", [request.name, holder.trim() || "?", minutes]);
  }
}
