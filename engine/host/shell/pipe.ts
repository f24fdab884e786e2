import type { Readable, Writable } from "node:stream";

/** How a far process ended. */
export interface PipeEnd {
  /** Undefined where a signal or a lost connection ended it. */
  readonly code?: number;
  readonly signal?: string;
  /** Why there is no code, in words. */
  readonly reason?: string;
}

/** A process with its three streams: an exec channel of ssh, or a local child. */
export interface Pipe {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process ended and its output was delivered; never rejects. */
  readonly closed: Promise<PipeEnd>;
  /** Bytes that stdin took and that have not left this machine; none are kept where it is not given. */
  readonly backlog?: () => number;
  /** Gives it up at once; what still arrives is dropped. */
  destroy(): void;
}

export interface OpenOptions {
  /** Ms until PB_CHANNELS_EXHAUSTED. */
  readonly timeoutMs: number;
  /** May take the place that is kept free for ending other calls. */
  readonly reserved?: boolean;
  /** Whether a refused session is still worth asking for again. */
  readonly wanted?: () => boolean;
  /** Called where the server refuses a session: resolves with true once one that nobody needs was given up. */
  readonly giveUpIdle?: () => Promise<boolean>;
}

/** Starts a command line, parsed by the login shell, whatever shell that is. */
export type OpenPipe = (commandLine: string, options: OpenOptions) => Promise<Pipe>;
