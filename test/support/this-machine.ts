import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Reached } from "#engine/converge/reached.ts";
import { PlaybookError } from "#engine/errors/error.ts";
import type { Command } from "#engine/host/command.ts";
import type { Connection } from "#engine/host/connection.ts";
import { readFacts } from "#engine/host/facts.ts";
import { GUARD_BASE } from "#engine/host/introduction.ts";
import { localTransport } from "#engine/host/local.ts";

/**
 * This machine as a host of its own: real sh, real processes, but what the engine keeps under /run is in a folder that
 * goes away with it. The connection can be cut, and says where it was made anew.
 */
export class ThisMachine implements AsyncDisposable {
  readonly folder: string;
  readonly reached: Reached;
  /** The addresses that were connected to anew, "old" where none was given. */
  readonly reconnected: string[] = [];
  /** Which of them answer. */
  answers: (address: string) => boolean = () => true;
  readonly #connection: Connection;
  #cut = false;

  private constructor(folder: string, connection: Connection, facts: Reached["facts"]) {
    this.folder = folder;
    this.#connection = connection;
    const through = this.#through();
    this.reached = {
      name: "w1",
      facts,
      connection: through,
      address: undefined,
      reconnect: async ({ to }) => {
        const address = to?.address ?? "old";
        this.reconnected.push(address);
        this.#cut = !this.answers(address);
        if (this.#cut) throw this.#lost();
        return through;
      },
    };
  }

  static async open(): Promise<ThisMachine> {
    const folder = await mkdtemp(join(tmpdir(), "this-machine-"));
    const connection = await localTransport().connect({ name: "w1", address: "::1" });
    return new ThisMachine(folder, connection, (await readFacts(connection)).facts);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Nothing is answered until somebody connects anew. */
  cut(): void {
    this.#cut = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  // Nobody else becomes anybody: the tests run as whoever runs them.
  #through(): Connection {
    const here = (path: string) => path.replaceAll(GUARD_BASE, this.path("run"));
    const call = <T>(answer: () => Promise<T>): Promise<T> =>
      this.#cut ? Promise.reject(this.#lost()) : answer();
    const mapped = ({ argv: [program, ...args], ...rest }: Command): Command => ({
      ...rest,
      argv: [program, ...args.map(here)],
    });
    const { introduction, run, readFile, stat, writeFile, upload, download, lost, close } = bound(
      this.#connection,
    );
    return {
      introduction,
      run: (command, { as: _, ...options } = {}) => call(() => run(mapped(command), options)),
      readFile: (path, { as: _, ...options } = {}) => call(() => readFile(here(path), options)),
      stat: (path, { as: _, ...options } = {}) => call(() => stat(here(path), options)),
      writeFile: (path, content, { as: _, owner: __, group: ___, ...options } = {}) =>
        call(() => writeFile(here(path), content, options)),
      upload,
      download,
      lost,
      close,
    };
  }

  #lost = () => new PlaybookError("PB_CONNECTION_LOST", ["w1", "the test cut it"]);
}

const bound = (connection: Connection): Connection => ({
  introduction: connection.introduction.bind(connection),
  run: connection.run.bind(connection),
  readFile: connection.readFile.bind(connection),
  stat: connection.stat.bind(connection),
  writeFile: connection.writeFile.bind(connection),
  upload: connection.upload.bind(connection),
  download: connection.download.bind(connection),
  lost: connection.lost,
  close: connection.close.bind(connection),
});
