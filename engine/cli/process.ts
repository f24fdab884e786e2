import { main } from "./main.ts";

const LINGER_MS = 2000;

/** Runs the command line as this process: its streams, its folder, its exit code. */
export async function runProcess(): Promise<void> {
  // `run-playbook … | head` closes the pipe: what is under way on hosts goes on, its output has no reader.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  const { stdin, stdout, stderr, env } = process;
  const code = await main(process.argv.slice(2), {
    stdin,
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
  });
  process.exitCode = code;
  // A socket that somebody forgot must not keep a finished run on the terminal.
  setTimeout(() => process.exit(code), LINGER_MS).unref();
}
