import type { Connection } from "../host/connection.ts";
import type { Facts } from "../host/host.ts";
import type { Clock } from "./clock.ts";

/** A host that was reached. Its connection may be another one later: ask for it each time. */
export interface Reached {
  readonly name: string;
  readonly facts: Facts;
  readonly connection: Connection;
  /** Where it is reached now; undefined while that is where the inventory says. */
  readonly address: string | undefined;
  /** One attempt at a new connection, which takes the old one's place; where it was, unless told where to. */
  reconnect(options: Reconnecting): Promise<Connection>;
}

/** How to connect anew. */
export interface Reconnecting {
  readonly timeoutMs: number;
  /** Another address, from then on; undefined in it is where the inventory says. */
  readonly to?: { readonly address: string | undefined };
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
