import type { Connection } from "../host/connection.ts";
import type { Facts } from "../host/host.ts";
import type { Clock } from "./clock.ts";

/** A host that was reached. Its connection may be another one later: ask for it each time. */
export interface Reached {
  readonly name: string;
  readonly facts: Facts;
  readonly connection: Connection;
  /** One attempt at a new connection, at another address where one is given; it takes the old one's place. */
  reconnect(options: { address?: string | undefined; timeoutMs: number }): Promise<Connection>;
}

/** How a step acts on a host: what every call it makes has in common. */
export interface Manner {
  readonly as: string;
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds until the step's deadline. */
  left(): number;
  /** Aborted when the deadline passes or the run is cut. */
  readonly signal: AbortSignal;
}

/** What every call of a step is made with. */
export const callOptions = ({ as, left, signal }: Manner) => ({
  as,
  timeoutMs: Math.max(1, left()),
  signal,
});

/** Where and how changes are made. */
export interface Applying {
  readonly on: Reached;
  readonly manner: Manner;
  readonly clock: Clock;
  /** What is to be said of the host if the step is cut off from here on; undefined once that is settled. */
  readonly doubt: (state: string | undefined) => void;
}
