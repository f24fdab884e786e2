import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { PlaybookError } from "../errors/error.ts";
import { printable } from "../report/text.ts";
import type { Io } from "./io.ts";

type Terminal = Pick<Io, "stdin" | "stderr">;

/** Whether somebody is there to answer. */
const hasOperator = ({ stdin, stderr }: Terminal): boolean =>
  stdin.isTTY === true && stderr.isTTY === true;

/** Asks the playbook's question before anything is touched; only a clear yes is one. */
export async function confirm(question: string, io: Terminal, isYes: boolean): Promise<void> {
  if (isYes) return;
  if (!hasOperator(io)) throw new PlaybookError("PB_CONFIRM_NEEDED", [question]);
  const answer = await ask(`${printable(question)} [y/N] `, io, io.stderr);
  if (!/^y(es)?$/i.test(answer.trim())) throw new PlaybookError("PB_DECLINED", [question]);
}

/** Asks for a secret; what is typed does not show. Undefined where nobody is there to answer. */
export async function askSecret(question: string, io: Terminal): Promise<string | undefined> {
  if (!hasOperator(io)) return undefined;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // The terminal stops showing what is typed as soon as somebody listens: only then is the question asked.
  const answer = ask("", io, nowhere);
  io.stderr.write(`${printable(question)} `);
  try {
    return await answer;
  } finally {
    io.stderr.write("\n");
  }
}

/** Ctrl-C while a question is open: nothing was touched yet. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

function ask(question: string, { stdin }: Terminal, echo: NodeJS.WritableStream): Promise<string> {
  const terminal = createInterface({ input: stdin, output: echo, terminal: true });
  const answer = new Promise<string>((resolve, reject) => {
    terminal.once("SIGINT", () => reject(new Interrupted("interrupted")));
    // Ctrl-D, or a terminal that went away: no answer is no.
    terminal.once("close", () => resolve(""));
    terminal.question(question, resolve);
  });
  return answer.finally(() => terminal.close());
}
