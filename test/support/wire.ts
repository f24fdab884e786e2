import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface WireOptions {
  /** Pass bytes on one by one, as a wire that cuts characters apart. */
  readonly single?: boolean;
  /** Connections that are closed before anything was said, as a busy sshd does. */
  readonly shed?: number;
  /** What these are told before they are closed. */
  readonly words?: string;
}

interface Way {
  readonly way: "there" | "back";
}

interface Line {
  readonly near: Socket;
  readonly far: Socket;
}

/** A wire between a client and a server on [::1] that can be delayed, frozen, closed or reset. */
export class Wire {
  readonly port: number;
  /** Connections that were made over it, shed ones too. */
  made = 0;
  /** Bytes that came from the client, and from the server. */
  readonly carried = { there: 0, back: 0 };
  /** Called with each of these as they grow: to break the wire in the middle of something. */
  onCarried: (carried: Wire["carried"]) => void = () => undefined;
  /** Ms that each direction takes. */
  delayMs = 0;
  /** Ms for which what comes is held back, to be passed on in one piece. */
  lumpMs = 0;
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  #frozen = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async to(port: number, options: WireOptions = {}): Promise<Wire> {
    const server = createServer({ noDelay: true });
    server.listen(0, "::1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const wire = new Wire(server, address.port);
    let shed = options.shed ?? 0;
    server.on("connection", (near) => {
      wire.made++;
      near.on("error", () => undefined);
      if (shed-- > 0 && options.words !== undefined) near.resume().end(options.words);
      else if (shed >= 0) near.destroy();
      else wire.#join(near, port, options);
    });
    return wire;
  }

  #join(near: Socket, port: number, options: WireOptions): void {
    const far = connect({ host: "::1", port, noDelay: true });
    far.on("error", () => near.destroy());
    const line = { near, far };
    this.#lines.add(line);
    this.#carry(near, far, { ...options, way: "there" });
    this.#carry(far, near, { ...options, way: "back" });
    near.on("close", () => {
      this.#lines.delete(line);
      far.destroy();
    });
    far.on("close", () => {
      if (!this.#frozen) near.end();
    });
  }

  #carry(from: Socket, to: Socket, { single = false, way }: WireOptions & Way): void {
    const held: Buffer[] = [];
    const pass = (chunk: Buffer) => {
      if (this.#frozen || to.destroyed) return;
      if (single) for (const byte of chunk) to.write(Buffer.from([byte as number]));
      else to.write(chunk);
    };
    from.on("data", (chunk) => {
      this.carried[way] += chunk.length;
      this.onCarried(this.carried);
      if (this.lumpMs > 0) {
        held.push(Buffer.from(chunk));
        if (held.length === 1) setTimeout(() => pass(Buffer.concat(held.splice(0))), this.lumpMs);
      } else if (this.delayMs > 0) setTimeout(() => pass(chunk), this.delayMs);
      else pass(chunk);
    });
  }

  /** The far side says that it is done (FIN), in the middle of whatever. */
  finish(): void {
    for (const { near } of this.#lines) near.end();
  }

  /** The far side resets (RST). */
  reset(): void {
    for (const { near } of this.#lines) near.resetAndDestroy();
  }

  /** Nothing passes any more, and nobody is told. */
  freeze(): void {
    this.#frozen = true;
  }

  async stop(): Promise<void> {
    for (const { near, far } of this.#lines) {
      near.destroy();
      far.destroy();
    }
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A server on [::1] that does with each connection what the test wants. */
export async function listen(onConnection: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    sockets.add(socket);
    onConnection(socket);
  });
  const sockets = new Set<Socket>();
  server.listen(0, "::1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
