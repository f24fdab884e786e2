import type { ClientChannel } from "ssh2";
import { PlaybookError } from "../../errors/error.ts";
import { deadlineIn, left, within } from "../deadline.ts";
import { Semaphore } from "../semaphore.ts";
import type { OpenOptions, Pipe, PipeEnd } from "../shell/pipe.ts";
import type { SshClient } from "./client.ts";
import { drain, policeChannel } from "./police.ts";

/** sshd lets one connection have ten sessions (MaxSessions); others may hold some of them open. */
const SESSIONS = 8;
/** A place that only the ending of other calls may take. */
const KEPT_FREE = 1;

/** Exec channels of one connection, never more at a time than the server allows. */
export class Channels {
  readonly #ssh: SshClient;
  readonly #host: string;
  readonly #places = new Semaphore(SESSIONS);

  constructor(ssh: SshClient, host: string) {
    this.#ssh = ssh;
    this.#host = host;
  }

  /** Starts a command line; a session that the server refuses is asked for again until the deadline. */
  async open(commandLine: string, options: OpenOptions): Promise<Pipe> {
    const { timeoutMs, reserved = false, wanted = () => true, giveUpIdle } = options;
    const until = deadlineIn(timeoutMs);
    const exhausted = () =>
      new PlaybookError("PB_CHANNELS_EXHAUSTED", [this.#host, Math.round(timeoutMs / 100) / 10]);
    const release = await this.#places.acquire(timeoutMs, exhausted, reserved ? 0 : KEPT_FREE);
    try {
      for (let pause = 50; ; pause = Math.min(1000, pause * 2)) {
        const pipe = await within(left(until), this.#exec(commandLine, release), exhausted);
        if (pipe !== "refused") return pipe;
        if (left(until) < pause || !wanted()) throw exhausted();
        if (giveUpIdle && (await within(left(until), giveUpIdle(), exhausted))) continue;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    } catch (error) {
      release();
      throw error;
    }
  }

  #exec(commandLine: string, release: () => void): Promise<Pipe | "refused"> {
    const { client, lost } = this.#ssh;
    const opened = new Promise<Pipe | "refused">((resolve, reject) => {
      client.exec(commandLine, (error, channel) => {
        // Listened to at once: a short command's exit code may come in the same packet as this answer.
        if (!error) resolve(this.#pipe(channel, release));
        else if (/open fail/i.test(error.message)) resolve("refused");
        else reject(this.#failed(error));
      });
    });
    const gone = lost.then((error) => {
      throw new PlaybookError(
        "PB_CONNECTION_LOST",
        [this.#host, error.message],
        {},
        { cause: error },
      );
    });
    return Promise.race([opened, gone]);
  }

  #failed(error: Error): PlaybookError {
    const cause = { cause: error };
    return /no response|not connected/i.test(error.message)
      ? new PlaybookError("PB_CONNECTION_LOST", [this.#host, "it closed"], {}, cause)
      : new PlaybookError("PB_SHELL_FAILED", [this.#host, error.message], {}, cause);
  }

  #pipe(channel: ClientChannel, release: () => void): Pipe {
    const end: { code?: number; signal?: string } = {};
    channel.on("exit", (code: number | null, signal?: string) => {
      if (code !== null) end.code = code;
      else if (signal !== undefined) end.signal = signal;
    });
    channel.on("error", () => undefined);
    // Streams that have ended both ways destroy themselves, which ssh2 takes for closing the channel: ahead of the
    // exit code, which sshd sends after the end of the output and drops when the channel is closed by then.
    channel.destroy = () => channel;
    channel.stderr.on("error", () => undefined);
    const closed = new Promise<PipeEnd>((resolve) => {
      channel.once("close", () => {
        release();
        if (end.code !== undefined || end.signal !== undefined) resolve(end);
        else resolve({ reason: "the channel was cut" });
      });
      void this.#ssh.lost.then((error) => {
        release();
        resolve({ reason: error.message });
      });
    });
    const destroy = () => {
      // A channel whose output nobody takes never closes.
      drain(channel, this.#ssh);
      channel.resume();
      channel.stderr.resume();
      channel.close();
    };
    policeChannel(channel, this.#ssh);
    const { backlog } = this.#ssh;
    return { stdin: channel, stdout: channel, stderr: channel.stderr, closed, backlog, destroy };
  }
}
