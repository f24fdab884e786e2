import { redact } from "../dsl/masking.ts";
import { PlaybookError } from "../errors/error.ts";
import type { Command } from "../host/command.ts";
import type { RunResult } from "../host/connection.ts";

const KEPT_LINES = 20;

/** A command that ended with another code than 0: what was run, how it ended, and the end of what it said. */
export function commandFailed(command: Command, { code, stdout, stderr }: RunResult) {
  const said = lastLines(stderr.trim() === "" ? stdout : stderr);
  return new PlaybookError("PB_COMMAND_FAILED", [showCommand(command), code, said.at(-1) ?? ""], {
    output: said,
  });
}

/** The last lines of what a program printed, redacted. */
export const lastLines = (text: string): string[] =>
  redact(text)
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-KEPT_LINES);

/** A command as people read it: one line, redacted; scripts by their first line. */
function showCommand({ argv }: Command): string {
  const words = argv.map((word) => {
    const [first = "", ...rest] = word.trim().split("\n");
    const line = rest.length === 0 ? first : `${first} …`;
    return /^[\w@%+=:,./-]+$/.test(line) ? line : `'${line}'`;
  });
  const shown = redact(words.join(" "));
  return shown.length <= 200 ? shown : `${shown.slice(0, 199)}…`;
}
