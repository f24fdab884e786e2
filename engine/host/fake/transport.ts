import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { isSecret } from "../../dsl/secret.ts";
import { PlaybookError } from "../../errors/error.ts";
import { type Command, script } from "../command.ts";
import type {
  CallOptions,
  Connection,
  FileAttributes,
  FileStat,
  LastCall,
  RunResult,
  Target,
  Transport,
} from "../connection.ts";
import { within } from "../deadline.ts";
import { errnoText } from "../errno.ts";
import { INTRODUCTION } from "../introduction.ts";
import { partOf } from "../shell/files.ts";
import { describe } from "../shell/request.ts";
import { FakeErrno } from "./filesystem.ts";
import type { FakeHost } from "./host.ts";

const MEBIBYTE = 1024 * 1024;
const MAX_OUTPUT = 16 * MEBIBYTE;
const DEFAULT_TIMEOUT = 60_000;

/** Hosts in memory, by the inventory's names. */
export const fakeTransport = (hosts: Readonly<Record<string, FakeHost>>): Transport => ({
  async connect(target) {
    const host = hosts[target.name];
    if (host === undefined)
      throw new PlaybookError("PB_CONNECT_UNRESOLVED", [target.address, "no such fake host"]);
    if (host.unreachable) throw host.unreachable;
    return new FakeConnection(host, target);
  },
});

/** A connection to a fake host; it fails as a real one does. */
export class FakeConnection implements Connection {
  readonly lost: Promise<Error>;
  readonly #host: FakeHost;
  readonly #target: Target;
  readonly #losing = Promise.withResolvers<Error>();
  #gone: string | undefined;

  constructor(host: FakeHost, target: Target) {
    this.#host = host;
    this.#target = target;
    this.lost = this.#losing.promise;
  }

  async introduction(options: Pick<CallOptions, "timeoutMs"> = {}): Promise<string> {
    return (await this.run(script(INTRODUCTION), options)).stdout;
  }

  async run(command: Command, options: CallOptions = {}): Promise<RunResult> {
    const user = this.#begin(options);
    const what = describe(command.argv);
    const given = new AbortController();
    const work = this.#host.execute(command, {
      stdin: bytes(command.stdin),
      user,
      signal: given.signal,
    });
    const { code, stdout, stderr } = await this.#bounded(work, { what, given, options });
    if (stdout.length + Buffer.byteLength(stderr) > MAX_OUTPUT)
      throw new PlaybookError("PB_OUTPUT_TOO_LARGE", [what, MAX_OUTPUT / MEBIBYTE]);
    return { code, stdout: stdout.toString(), stderr };
  }

  async readFile(path: string, options: CallOptions = {}): Promise<Buffer | undefined> {
    const user = this.#begin(options);
    return this.#files("PB_READ_FAILED", path, () => this.#host.files.read(path, user));
  }

  async stat(path: string, options: CallOptions = {}): Promise<FileStat | undefined> {
    this.#begin(options);
    return this.#host.files.stat(path);
  }

  async writeFile(
    path: string,
    content: Uint8Array,
    options: FileAttributes & CallOptions = {},
  ): Promise<void> {
    const user = this.#begin(options);
    this.#files("PB_WRITE_FAILED", path, () =>
      this.#host.files.write(path, content, { ...options, user }),
    );
  }

  async upload(
    from: string,
    to: string,
    options: FileAttributes & CallOptions = {},
  ): Promise<boolean> {
    const content = await readFile(from).catch((error: unknown) => {
      throw new PlaybookError("PB_LOCAL_FILE", [from, errnoText(error)], {}, { cause: error });
    });
    const same = (await this.readFile(to, options))?.equals(content) === true;
    await this.writeFile(to, content, options);
    // What a cut left of an earlier attempt.
    this.#host.files.remove(partOf(to));
    return !same;
  }

  async download(from: string, to: string, options: CallOptions = {}): Promise<void> {
    const content = await this.readFile(from, options);
    if (content === undefined)
      throw new PlaybookError("PB_READ_FAILED", [from, "No such file or directory"]);
    if (
      await readFile(to).then(
        (there) => there.equals(content),
        () => false,
      )
    )
      return;
    const beside = `${dirname(to)}/.${basename(to)}.pb-part`;
    await rm(beside, { force: true });
    await writeFile(beside, content, { mode: 0o600 });
    await rename(beside, to);
  }

  async close(last?: LastCall): Promise<void> {
    if (last !== undefined) {
      const user = this.#begin(last);
      const { command } = last;
      const { signal } = new AbortController();
      const made = this.#host.execute(command, { stdin: bytes(command.stdin), user, signal });
      made.catch(() => undefined);
    }
    this.lose("it was closed");
  }

  /** Cuts the connection, as a lost network does. */
  lose(reason = "the fake was told to lose it"): void {
    this.#gone ??= reason;
    this.#losing.resolve(new Error(this.#gone));
  }

  /** What every call meets first: a connection, and the right to be somebody. */
  #begin({ as, signal }: CallOptions): string {
    signal?.throwIfAborted();
    if (this.#host.loseAfter-- <= 0) this.lose();
    if (this.#gone !== undefined)
      throw new PlaybookError("PB_CONNECTION_LOST", [this.#target.name, this.#gone]);
    const { loginUser, users, sudo } = this.#host;
    if (as === undefined || as === loginUser) return loginUser;
    const { name, sudoPassword } = this.#target;
    if (!users.has(as))
      throw new PlaybookError("PB_SUDO_REFUSED", [as, name, `unknown user ${as}`]);
    if (loginUser === "root" || sudo === "free") return as;
    if (sudo === "refused")
      throw new PlaybookError("PB_SUDO_REFUSED", [
        as,
        name,
        `${loginUser} is not in the sudoers file`,
      ]);
    if (sudoPassword === undefined) throw new PlaybookError("PB_SUDO_PASSWORD_NEEDED", [as, name]);
    if (sudoPassword.reveal() !== sudo.password)
      throw new PlaybookError("PB_SUDO_REFUSED", [as, name, "the password is wrong"]);
    return as;
  }

  async #bounded<T>(
    work: Promise<T>,
    call: { what: string; given: AbortController; options: CallOptions },
  ): Promise<T> {
    const { what, given, options } = call;
    const { timeoutMs = DEFAULT_TIMEOUT, signal } = options;
    const stop = <E extends Error>(error: E): E => {
      given.abort();
      work.catch(() => undefined);
      return error;
    };
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener(
        "abort",
        () => reject(stop(new PlaybookError("PB_INTERRUPTED", [what]))),
        {
          once: true,
        },
      );
    });
    const gone = this.lost.then((error) => {
      throw stop(new PlaybookError("PB_CONNECTION_LOST", [this.#target.name, error.message]));
    });
    const state = "its processes on the host were ended";
    return within(timeoutMs, Promise.race([work, aborted, gone]), () =>
      stop(new PlaybookError("PB_TIMEOUT", [what, timeoutMs / 1000], { state })),
    );
  }

  #files<T>(code: "PB_READ_FAILED" | "PB_WRITE_FAILED", path: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (error instanceof FakeErrno) throw new PlaybookError(code, [path, error.message]);
      throw error;
    }
  }
}

function bytes(stdin: Command["stdin"]): Buffer {
  if (stdin === undefined) return Buffer.alloc(0);
  return Buffer.from(isSecret(stdin) ? stdin.reveal() : stdin);
}
