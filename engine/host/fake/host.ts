import type { Command } from "../command.ts";
import { FakeErrno, FakeFilesystem } from "./filesystem.ts";
import {
  basics,
  type FakeAnswer,
  type FakeCall,
  FakeFailure,
  type FakeProgram,
} from "./programs.ts";

/** How a fake host lets its login user become somebody else. */
export type FakeSudo = "free" | { readonly password: string } | "refused";

export interface FakeRun {
  readonly argv: readonly string[];
  readonly user: string;
  readonly stdin: Buffer;
}

/**
 * A host in memory, for tests of modules and of the engine: files and programs with state, and faults on demand. It
 * outlives its connections, as a host does.
 */
export class FakeHost {
  readonly files = new FakeFilesystem();
  loginUser = "root";
  sudo: FakeSudo = "free";
  /** Users that exist. */
  readonly users = new Set(["root", "nobody"]);
  /** Every command that ran, in order: for asserting what was not done. */
  readonly ran: FakeRun[] = [];
  /** Calls until the connection is lost; the call that uses it up does not begin. */
  loseAfter = Number.POSITIVE_INFINITY;
  /** What connecting answers instead of a connection. */
  unreachable: Error | undefined;
  readonly #programs = new Map<string, FakeProgram>(Object.entries(basics));
  // How every remove is made: nothing is mounted on a fake host.
  readonly #scripts: { readonly match: string | RegExp; readonly program: FakeProgram }[] = [
    {
      match: /^# remove\n/,
      program: ({ args: [path = ""], host }) => {
        host.files.remove(path);
        return undefined;
      },
    },
  ];

  /** Adds or replaces programs by name. */
  programs(programs: Readonly<Record<string, FakeProgram>>): this {
    for (const [name, program] of Object.entries(programs)) this.#programs.set(name, program);
    return this;
  }

  removeProgram(name: string): this {
    this.#programs.delete(name);
    return this;
  }

  /** What stands in for `script(text, …)`: found by its whole text or a pattern; `args` are the script's own. */
  script(match: string | RegExp, program: FakeProgram): this {
    this.#scripts.unshift({ match, program });
    return this;
  }

  /** Runs a command as a real host would; a program that is not there exits 127. */
  async execute(command: Command, call: Pick<FakeCall, "stdin" | "user" | "signal">) {
    const { argv, env = {}, cwd = "/" } = command;
    this.ran.push({ argv, user: call.user, stdin: call.stdin });
    const found = this.#find(argv);
    if (found === undefined)
      return answer({ code: 127, stderr: `sh: 1: exec: ${argv[0]}: not found\n` });
    if (this.files.stat(cwd)?.kind !== "directory")
      return answer({ code: 126, stderr: `sh: 1: cd: can't cd to ${cwd}\n` });
    try {
      return answer(await found.program({ ...call, args: found.args, env, cwd, host: this }));
    } catch (error) {
      if (error instanceof FakeErrno || error instanceof FakeFailure)
        return answer({ code: 1, stderr: `${argv[0]}: ${error.message}\n` });
      throw error;
    }
  }

  #find([name, ...args]: Command["argv"]) {
    const [flag, text = "", , ...rest] = args;
    if ((name === "sh" || name === "bash") && flag === "-c") {
      const script = this.#scripts.find(({ match }) =>
        typeof match === "string" ? match === text : match.test(text),
      );
      if (script) return { program: script.program, args: rest };
    }
    const program = this.#programs.get(
      name.startsWith("/") ? (name.split("/").at(-1) ?? name) : name,
    );
    return program && { program, args };
  }
}

function answer(given: FakeAnswer) {
  const {
    code = 0,
    stdout = "",
    stderr = "",
  } = typeof given === "string" ? { stdout: given } : (given ?? {});
  return { code, stdout: Buffer.from(stdout), stderr };
}
