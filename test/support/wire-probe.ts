import { connect, type Socket } from "node:net";
import { expect } from "vitest";

/** Round trips from this machine in milliseconds: a port where nobody listens refuses after exactly one. */
export async function roundTrips(host: string, count = 10): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) {
    const start = performance.now();
    const answer = await new Promise<string | undefined>((resolve) => {
      connect({ host, port: 9 }).once("error", (error) =>
        resolve("code" in error ? String(error.code) : undefined),
      );
    });
    expect(answer).toBe("ECONNREFUSED");
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

/** A connection to an ssh server, and all that came. */
export interface Heard {
  readonly socket: Socket;
  text: string;
  ended: boolean;
}

/** Connects to a host's ssh server and notes all that comes, the end included. */
export function listen(host: string): Heard {
  const heard: Heard = { socket: connect({ host, port: 22 }), text: "", ended: false };
  heard.socket.on("data", (data) => {
    heard.text += data.toString("latin1");
  });
  heard.socket.on("error", () => undefined);
  heard.socket.on("close", () => {
    heard.ended = true;
  });
  return heard;
}
