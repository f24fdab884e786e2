import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { $, type ProcessOutput } from "zx";
import type { Connection, Transport } from "./connection.ts";
import { shellMark } from "./introduction.ts";
import { loginName } from "./login.ts";
import { ShellConnection } from "./shell/connection.ts";
import type { Identity } from "./shell/launch.ts";
import { LocalFiles } from "./shell/local-files.ts";
import type { Pipe, PipeEnd } from "./shell/pipe.ts";

/** This machine as a host: the same framed shell, over a child process. */
export function localTransport(): Transport {
  const files = new LocalFiles();
  return {
    connect: async (target) => {
      const { name, sudoPassword } = target;
      const loginUser = loginName();
      const mark = shellMark(target, loginUser);
      return openLocal(
        { host: name, loginUser, mark, ...(sudoPassword && { sudoPassword }) },
        files,
      );
    },
  };
}

function openLocal(identity: Identity, files: LocalFiles): Connection {
  return new ShellConnection({
    open: openChild,
    identity,
    files,
    // This machine cannot be lost.
    lost: new Promise<Error>(() => undefined),
    end: async () => undefined,
  });
}

async function openChild(commandLine: string): Promise<Pipe> {
  const running = $({
    shell: "/bin/sh",
    prefix: "",
    postfix: "",
    // The line is quoted already: every word of it by quote().
    quote: (line) => line,
    detached: true,
    nothrow: true,
    quiet: true,
    store: { stdout: new Unkept(), stderr: new Unkept(), stdall: new Unkept() },
  })`${commandLine}`;
  const { child, stdin } = running;
  // When a child has exited, Node reads on for whoever paused its output, and throws away what comes: hence the relay.
  const stdout = running.stdout.pipe(new PassThrough());
  const stderr = running.stderr.pipe(new PassThrough());
  const read = (output: PassThrough) =>
    finished(output, { writable: false }).catch(() => undefined);
  const ended = ({ exitCode, signal, cause }: ProcessOutput): PipeEnd => ({
    ...(exitCode !== null && signal === null && { code: exitCode }),
    ...(signal !== null && { signal }),
    ...(cause && { reason: cause.message }),
  });
  const closed = Promise.all([running.then(ended, ended), read(stdout), read(stderr)]).then(
    ([end]) => end,
  );
  const destroy = () => {
    for (const each of [stdin, running.stdout, running.stderr, stdout, stderr]) each.destroy();
    child?.unref();
  };
  return { stdin, stdout, stderr, closed, destroy };
}

/** zx keeps all output of a process; a shell that lives as long as the run must not grow by it. */
class Unkept extends Array<string | Buffer> {
  override push(): number {
    return 0;
  }
}
