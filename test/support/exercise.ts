import { applyChange } from "#engine/converge/apply.ts";
import type { Applying } from "#engine/converge/reached.ts";
import type { ModuleSpec, ProbeSpec } from "#engine/dsl/module.ts";
import type { RunResult } from "#engine/host/connection.ts";
import { type Change, type Command, type Host, isPlaybookError } from "#engine/index.ts";
import type { Case } from "./case-file.ts";
import { caseHost, describeCommand } from "./case-host.ts";
import { realClock } from "./real-clock.ts";
import type { Sandbox } from "./sandbox.ts";

/**
 * Does all that a module or probe wants for given params: it looks, hearing what a case's host answers so that it gets
 * as far as it can, and whatever it runs, reads or changes happens on a real shell too. What happened once is not
 * repeated.
 */
export class Exercise {
  readonly #sandbox: Sandbox;
  readonly #ran = new Map<string, Promise<RunResult>>();
  readonly #made = new Set<string>();
  readonly #asked: Promise<unknown>[] = [];

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** What was thrown that the params should have kept from coming so far. */
  async all(
    spec: ModuleSpec | ProbeSpec,
    one: Case,
    want: Record<string, unknown>,
  ): Promise<string[]> {
    const host = this.#host(one);
    const thrown: string[] = [];
    const note = (error: unknown) => {
      if (!isExpected(error)) thrown.push(String(error));
    };
    try {
      if ("check" in spec) await spec.check(host, want);
      else
        for (const change of spec.diff(await spec.read(host, want), want))
          await this.#make(change, one, note);
    } catch (error) {
      note(error);
    }
    // What was asked together ends apart, and one refusal does not wait for the others.
    await Promise.allSettled(this.#asked.splice(0));
    return thrown;
  }

  #host({ host: state }: Case): Host {
    const known = caseHost(state);
    const { connection } = this.#sandbox;
    const run = async (command: Command) => {
      const really = await this.#run(command);
      const { script } = describeCommand(command);
      const named = state.commands.find((each) => script !== undefined && each.script === script);
      return known.run(command).catch(() => named ?? really);
    };
    return {
      ...known,
      run,
      text: async (command) => (await run(command)).stdout.trimEnd(),
      readFile: async (path) => {
        await this.#ask(connection.readFile(path)).catch(rethrowUnexpected);
        return known.readFile(path);
      },
      stat: async (path) => {
        await this.#ask(connection.stat(path));
        return known.stat(path);
      },
      sha256: async (path) => {
        await this.#run({ argv: ["sha256sum", "--", path] });
        return known.sha256(path);
      },
    };
  }

  #run(command: Command): Promise<RunResult> {
    const key = JSON.stringify(command);
    const ran = this.#ran.get(key) ?? this.#sandbox.connection.run(command);
    // Two secrets look the same.
    if (!key.includes("[secret]")) this.#ran.set(key, ran);
    return this.#ask(ran);
  }

  #ask<T>(answer: Promise<T>): Promise<T> {
    this.#asked.push(answer);
    return answer;
  }

  async #make(change: Change, one: Case, note: (error: unknown) => void): Promise<void> {
    const key = JSON.stringify(change);
    if (this.#made.has(key) && !key.includes("[secret]")) return;
    this.#made.add(key);
    switch (change.op) {
      case "guarded":
        for (const file of change.files) await this.#make(file, one, note);
        for (const command of [change.apply, ...change.verify])
          await this.#run(command).catch(note);
        return;
      case "reboot":
      // It writes on the control machine.
      case "download":
        return;
      case "run":
        await this.#run(change.command).catch(note);
        return;
      default:
        await applyChange(change, this.#applying(one)).catch(note);
    }
  }

  #applying({ host: { name, facts } }: Case): Applying {
    const { connection } = this.#sandbox;
    return {
      on: { name, facts, connection, address: undefined, reconnect: async () => connection },
      manner: { as: "root", env: {}, left: () => 20_000, signal: new AbortController().signal },
      clock: realClock,
      doubt: () => undefined,
    };
  }
}

// What the engine cannot pass on to a host at all, and what says that a shell was lost over it.
const UNSENDABLE = /NUL byte|no absolute path|name of a program|name a variable|needs an absolute/;
const LOST = /^PB_(TIMEOUT|CONNECTION_LOST|SHELL_FAILED|CHANNELS_EXHAUSTED)$/;

/** A module may refuse what it finds in many ways, as the answers do not fit params that were made up. */
const isExpected = (error: unknown): boolean =>
  error instanceof Error &&
  !UNSENDABLE.test(error.message) &&
  !(isPlaybookError(error) && LOST.test(error.code));

function rethrowUnexpected(error: unknown): void {
  if (!isExpected(error)) throw error;
}
