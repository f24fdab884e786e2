export interface Reply {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Why a call has no reply: its shell ended. */
export class ShellGone extends Error {
  /** Whether the command may have begun; where not, it can be sent again elsewhere. */
  readonly started: boolean;
  constructor(started: boolean, reason: string) {
    super(reason);
    this.name = "ShellGone";
    this.started = started;
  }
}

/** One call on its way. */
export interface Call {
  readonly what: string;
  readonly reply: Promise<Reply>;
  /** "waiting" is here still, "behind" is on the host after others, "first" is the one that the shell is at. */
  state(): "waiting" | "behind" | "first" | "done";
  /** Takes a waiting call back; true where it was still here. */
  withdraw(): boolean;
}
