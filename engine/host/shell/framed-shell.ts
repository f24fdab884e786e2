import { finished } from "node:stream/promises";
import { PlaybookError } from "../../errors/error.ts";
import { type Call, type Reply, ShellGone } from "./call.ts";
import { type Expected, FrameReader } from "./frame-reader.ts";
import type { Pipe, PipeEnd } from "./pipe.ts";
import { frameText, newNonce, type Work } from "./request.ts";

const MEBIBYTE = 1024 * 1024;

interface Frame extends Expected {
  readonly work: Work;
  readonly nonce: string;
  state: "waiting" | "sent" | "done";
  bytes: number;
  readonly stdout: Buffer[];
  readonly stderr: Buffer[];
  code?: number;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

export interface FramedShellOptions {
  /** The shell's own pid on the host. */
  readonly pid: number;
  /** Bytes of output that one call may print. */
  readonly maxOutput: number;
  /** Called when a call left processes behind that may write into the next one's output. */
  readonly onLeftover: () => void;
}

/**
 * One long-lived sh that answers requests in order. All that is submitted in one tick goes out in one write, so any
 * number of calls costs one round trip.
 */
export class FramedShell {
  readonly pid: number;
  readonly #pipe: Pipe;
  readonly #options: FramedShellOptions;
  readonly #outbox: Frame[] = [];
  /** Sent and not ended, per stream: stdout and stderr come in their own time. */
  readonly #onStdout: Frame[] = [];
  readonly #onStderr: Frame[] = [];
  #flushing = false;
  #headSince = 0;
  #retired = false;
  #gone: string | undefined;

  constructor(pipe: Pipe, options: FramedShellOptions) {
    this.#pipe = pipe;
    this.#options = options;
    this.pid = options.pid;
    this.#listen("stdout", this.#onStdout);
    this.#listen("stderr", this.#onStderr);
    // Its end follows, with what it still said before.
    pipe.stdin.on("error", () => undefined);
    void pipe.closed.then((end) => this.#end(describeEnd(end)));
  }

  /** Calls that have no reply yet. */
  get pending(): number {
    return this.#outbox.length + this.#onStdout.length;
  }

  get ended(): boolean {
    return this.#gone !== undefined;
  }

  /** For how long the call that runs now has been running, ms. */
  get slowFor(): number {
    return this.#onStdout.length > 0 ? performance.now() - this.#headSince : 0;
  }

  submit(work: Work): Call {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const nonce = newNonce();
    const frame: Frame = {
      work,
      nonce,
      needle: Buffer.from(`\x01${nonce}`),
      state: "waiting",
      bytes: 0,
      stdout: [],
      stderr: [],
      resolve,
      reject,
    };
    if (this.#gone === undefined && !this.#retired) this.#enqueue(frame);
    else reject(new ShellGone(false, this.#gone ?? "it was retired"));
    return {
      what: work.what,
      reply: promise,
      state: () => this.#stateOf(frame),
      withdraw: () => this.#withdraw(frame),
    };
  }

  /** Lets what was sent finish, and then ends. */
  retire(): void {
    this.#retired = true;
    for (const frame of this.#outbox.splice(0)) {
      frame.state = "done";
      frame.reject(new ShellGone(false, "it was retired"));
    }
    this.#pipe.stdin.end();
  }

  /** One more, for which nobody waits, and then the end. Resolves once all of it is on its way. */
  async last(work: Work): Promise<void> {
    this.submit(work).reply.catch(() => undefined);
    this.#flush();
    this.retire();
    // Where the shell is gone already there is nobody to do it.
    await finished(this.#pipe.stdin, { readable: false }).catch(() => undefined);
  }

  destroy(): void {
    this.#pipe.destroy();
    this.#end("it was closed");
  }

  #enqueue(frame: Frame): void {
    this.#outbox.push(frame);
    if (this.#flushing) return;
    this.#flushing = true;
    // After all that this tick still submits, promise continuations included.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const batch = this.#outbox.splice(0);
    if (batch.length === 0 || this.#gone !== undefined) return;
    if (this.#onStdout.length === 0) this.#headSince = performance.now();
    for (const frame of batch) {
      frame.state = "sent";
      this.#onStdout.push(frame);
      this.#onStderr.push(frame);
    }
    this.#pipe.stdin.write(batch.map((frame) => frameText(frame.nonce, frame.work)).join(""));
  }

  #withdraw(frame: Frame): boolean {
    const at = this.#outbox.indexOf(frame);
    if (at < 0) return false;
    this.#outbox.splice(at, 1);
    frame.state = "done";
    return true;
  }

  #listen(name: "stdout" | "stderr", queue: Frame[]): void {
    const reader = new FrameReader<Frame>({
      head: () => queue[0],
      data: (frame, bytes) => this.#take(frame, name, bytes),
      mark: (frame, text) => {
        if (this.#mark(frame, name, text)) return;
        queue.shift();
        if (name === "stdout") this.#headSince = performance.now();
        if (!this.#onStdout.includes(frame) && !this.#onStderr.includes(frame)) finish(frame);
      },
    });
    this.#pipe[name].on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.#pipe.destroy();
        this.#end(error instanceof Error ? error.message : String(error));
      }
    });
    this.#pipe[name].resume();
  }

  #take(frame: Frame, name: "stdout" | "stderr", bytes: Buffer): void {
    frame.bytes += bytes.length;
    if (frame.bytes <= this.#options.maxOutput) {
      frame[name].push(bytes);
      return;
    }
    frame.stdout.length = 0;
    frame.stderr.length = 0;
    const limit = Math.round(this.#options.maxOutput / MEBIBYTE);
    frame.reject(new PlaybookError("PB_OUTPUT_TOO_LARGE", [frame.work.what, limit]));
  }

  /** True where the shell stopped rather than end the frame. */
  #mark(frame: Frame, name: "stdout" | "stderr", text: string): boolean {
    if (name === "stdout" && text === "Q") {
      this.#stopBefore(frame, "it was asked to stop");
      return true;
    }
    const [, code, left] = /^E(?: (\d{1,3}) ([01]))?$/.exec(text) ?? [];
    if ((code === undefined) !== (name === "stderr"))
      throw new Error("the host sent a broken frame");
    if (code !== undefined) frame.code = Number(code);
    if (left !== "1") return false;
    // Its processes hold this shell's output open: the shell stops by itself.
    this.#stopBefore(this.#onStdout[1], `"${frame.work.what}" left processes running`);
    this.#options.onLeftover();
    return false;
  }

  /** Nothing from this frame on began. What ended on stdout may still have its end on stderr to come. */
  #stopBefore(next: Frame | undefined, reason: string): void {
    this.#gone ??= reason;
    const at = next === undefined ? -1 : this.#onStdout.indexOf(next);
    const rest = [...(at < 0 ? [] : this.#onStdout.splice(at)), ...this.#outbox.splice(0)];
    for (const frame of rest) {
      const onStderr = this.#onStderr.indexOf(frame);
      if (onStderr >= 0) this.#onStderr.splice(onStderr, 1);
      frame.state = "done";
      frame.reject(new ShellGone(false, reason));
    }
  }

  /** The process is gone. Whether its first call ran is not known; a call that ended on stdout has its answer. */
  #end(reason: string): void {
    this.#stopBefore(this.#onStdout[1], reason);
    for (const frame of new Set([...this.#onStderr.splice(0), ...this.#onStdout.splice(0)])) {
      if (frame.code !== undefined) finish(frame);
      else {
        frame.state = "done";
        frame.reject(new ShellGone(true, reason));
      }
    }
  }

  #stateOf(frame: Frame): ReturnType<Call["state"]> {
    if (frame.state !== "sent") return frame.state;
    return this.#onStdout.indexOf(frame) > 0 ? "behind" : "first";
  }
}

function finish(frame: Frame): void {
  frame.state = "done";
  frame.resolve({
    code: frame.code ?? Number.NaN,
    stdout: Buffer.concat(frame.stdout),
    stderr: Buffer.concat(frame.stderr),
  });
}

function describeEnd({ code, signal, reason }: PipeEnd): string {
  if (reason !== undefined) return reason;
  return signal === undefined
    ? `its shell ended with exit code ${code}`
    : `its shell was ended by ${signal}`;
}
