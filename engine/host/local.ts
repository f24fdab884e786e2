import { userInfo } from "node:os";
import { $, type ProcessOutput } from "zx";
import type { Connection, Transport } from "./connection.ts";
import { ShellConnection } from "./shell/connection.ts";
import type { Identity } from "./shell/launch.ts";
import { LocalFiles } from "./shell/local-files.ts";
import type { Pipe, PipeEnd } from "./shell/pipe.ts";

/** This machine as a host: the same framed shell, over a child process. */
export function localTransport(): Transport {
  const files = new LocalFiles();
  return {
    connect: async ({ name, sudoPassword }) =>
      openLocal(
        { host: name, loginUser: userInfo().username, ...(sudoPassword && { sudoPassword }) },
        files,
      ),
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
  const { child } = running;
  const { stdin, stdout, stderr } = running;
  const ended = ({ exitCode, signal, cause }: ProcessOutput): PipeEnd => ({
    ...(exitCode !== null && signal === null && { code: exitCode }),
    ...(signal !== null && { signal }),
    ...(cause && { reason: cause.message }),
  });
  const closed = running.then(ended, ended);
  const destroy = () => {
    stdin.destroy();
    stdout.destroy();
    stderr.destroy();
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
