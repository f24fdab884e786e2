import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { bytesOf } from "../converge/content.ts";
import { PlaybookError } from "../errors/error.ts";
import type { Command } from "../host/command.ts";
import type { RunResult } from "../host/connection.ts";
import type { SecretReaders } from "../plan/secrets.ts";

/** How long a program that prints a secret may take, in ms: it may ask a human for a touch or a PIN. */
const COMMAND_MS = 120_000;

/** The control machine as a source of secrets. */
export const controlMachine = (
  ask: (question: string) => Promise<string | undefined>,
): SecretReaders => ({
  env: (name) => process.env[name],
  file: readSecretFile,
  command: runCommand,
  ask,
});

async function readSecretFile(path: string) {
  try {
    const [content, { mode }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    return { content, mode: mode & 0o777 };
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    if (error.code === "ENOENT") return undefined;
    throw new PlaybookError("PB_SECRET_UNAVAILABLE", [`secret in ${path}`, error.message]);
  }
}

function runCommand({ argv, stdin, env, cwd }: Command): Promise<RunResult> {
  const [program, ...args] = argv;
  const options = { timeout: COMMAND_MS, env: { ...process.env, ...env }, cwd };
  return new Promise((resolve) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 127;
      resolve({ code, stdout, stderr: stderr === "" && error !== null ? error.message : stderr });
    });
    // A program that reads no stdin closes it early; that is its right.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(stdin === undefined ? "" : bytesOf(stdin));
  });
}
