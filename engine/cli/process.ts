import pc from "picocolors";
import { PlaybookError } from "../errors/error.ts";
import { errnoCode, errnoText } from "../host/errno.ts";
import { describeError, printError } from "../report/print.ts";
import { main } from "./main.ts";

const LINGER_MS = 2000;

/** Runs the command line as this process: its streams, its folder, its exit code. */
export async function runProcess(): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  const lost = new Map<NodeJS.WriteStream, NodeJS.ErrnoException>();
  // `run-playbook … | head` closes the pipe, a disk may be full: what is under way on hosts goes on all the same.
  for (const stream of [stdout, stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => lost.set(stream, error));
  const cwd = workingFolder();
  const code =
    cwd === undefined
      ? refused(new PlaybookError("PB_FOLDER_GONE", []))
      : await main(process.argv.slice(2), { stdin, stdout, stderr, env, cwd });
  // Whoever reads may be slow: nothing of it is thrown away.
  await Promise.all([written(stdout), written(stderr)]);
  process.exitCode = lost.size === 0 ? code : unheard(code, lost.get(stdout) ?? lost.get(stderr));
  // A socket that somebody forgot must not keep a finished run on the terminal.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

function workingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch (error) {
    if (errnoCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Resolves once all that was written is out, or cannot be written any more. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  // What was gathered in a tick is handed on at its end.
  await new Promise((resolve) => setImmediate(resolve));
  if (stream.writableLength === 0 || stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.once("close", resolve);
    stream.once("error", () => resolve());
    stream.write("", () => resolve());
  });
}

/** Output that nobody got is an error, whatever became of the run: who reads it would take a part for the whole. */
function unheard(code: number, error: NodeJS.ErrnoException | undefined): number {
  const why = error?.code === "EPIPE" ? "its reader closed it" : errnoText(error);
  refused(new PlaybookError("PB_OUTPUT_LOST", [why]));
  return code === 0 || code === 3 ? 1 : code;
}

function refused(error: PlaybookError): number {
  process.stderr.write(`${printError(describeError(error), pc.createColors(false))}\n`);
  return 2;
}
