import { spawn } from "node:child_process";
import { bin } from "./cli.ts";

interface TerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What is typed once its question is on the screen. */
  readonly answers?: Readonly<Record<string, string>>;
}

/** What was on the screen, all of it, and how the program ended. */
export interface Screen {
  readonly code: number | null;
  readonly text: string;
}

const SECONDS = 90;

/** Runs the command line on a pseudo-terminal of its own, where it can ask. */
export function onTerminal(
  args: readonly string[],
  { cwd, env, answers = {} }: TerminalOptions,
): Promise<Screen> {
  const quoted = [process.execPath, bin, ...args]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(" ");
  const line = `stty cols 120 rows 40; exec ${quoted}`;
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", TERM: "xterm", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const open = new Map(Object.entries(answers));
  let text = "";
  const hear = (chunk: Buffer) => {
    text += chunk.toString();
    for (const [question, answer] of open) {
      if (!text.includes(question)) continue;
      open.delete(question);
      child.stdin.write(`${answer}\n`);
    }
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${args.join(" ")} did not end within ${SECONDS} s\n${text}`));
    }, SECONDS * 1000);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(deadline);
      resolve({ code, text });
    });
  });
}
