import type { Command } from "../command.ts";
import type {
  CallOptions,
  Connection,
  FileAttributes,
  FileStat,
  LastCall,
  RunResult,
} from "../connection.ts";
import { Calls } from "./calls.ts";
import { download } from "./fetch.ts";
import { writeReply, writeWork } from "./files.ts";
import type { LaneLimits } from "./lanes.ts";
import type { Identity } from "./launch.ts";
import { LocalFiles } from "./local-files.ts";
import { Looks } from "./looks.ts";
import type { OpenPipe } from "./pipe.ts";
import { commandWork } from "./request.ts";
import { sendContent, upload } from "./transfer.ts";

/** Content up to here goes inside the framed shell, in the round trip of the call; bytes. */
const INLINE = 256 * 1024;

/** What a transport gives: how to start a process there, and what tells that the peer is gone. */
export interface ShellHost {
  readonly open: OpenPipe;
  readonly identity: Identity;
  readonly lost: Promise<Error>;
  /** Ends the transport itself, after the shells. */
  readonly end: () => Promise<void>;
  readonly limits?: Partial<LaneLimits>;
  /** Shared by the connections of a run, so that a file for many hosts is read once. */
  readonly files?: LocalFiles;
}

/** A connection over anything that can start `sh`: ssh and local share all of it. */
export class ShellConnection implements Connection {
  readonly lost: Promise<Error>;
  readonly #host: ShellHost;
  readonly #open: OpenPipe;
  readonly #calls: Calls;
  readonly #looks: Looks;
  readonly #files: LocalFiles;

  constructor(host: ShellHost) {
    this.#host = host;
    this.lost = host.lost;
    this.#files = host.files ?? new LocalFiles();
    this.#open = (line, options) =>
      host.open(line, { ...options, giveUpIdle: () => this.#calls.giveUpIdle() });
    this.#calls = new Calls(this.#open, host.identity, host.limits);
    this.#looks = new Looks(this.#calls);
    void host.lost.then((error) => this.#calls.abandon(error.message));
  }

  introduction(options?: CallOptions): Promise<string> {
    return this.#calls.introduction(options);
  }

  async run(command: Command, options: CallOptions = {}): Promise<RunResult> {
    const reply = await this.#calls.call(commandWork(command, options.long), options);
    const { code, stdout, stderr } = reply;
    return { code, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  async readFile(path: string, options?: CallOptions): Promise<Buffer | undefined> {
    return this.#looks.read(path, options);
  }

  async stat(path: string, options?: CallOptions): Promise<FileStat | undefined> {
    return this.#looks.stat(path, options);
  }

  async writeFile(
    path: string,
    content: Uint8Array,
    options: FileAttributes & CallOptions = {},
  ): Promise<void> {
    if (content.length > INLINE) return sendContent(this.#transfer, { to: path, content, options });
    writeReply(path, await this.#calls.call(writeWork(path, content, options), options));
  }

  async upload(
    from: string,
    to: string,
    options: FileAttributes & CallOptions = {},
  ): Promise<boolean> {
    return upload(this.#transfer, { from, to, options });
  }

  async download(from: string, to: string, options: CallOptions = {}): Promise<void> {
    return download(this.#transfer, { from, to, options });
  }

  async close(last?: LastCall): Promise<void> {
    const work = last && { ...last, work: commandWork(last.command) };
    await this.#calls.close("it was closed", work);
    await this.#host.end();
  }

  get #transfer() {
    const { identity } = this.#host;
    return { open: this.#open, identity, calls: this.#calls, files: this.#files };
  }
}
