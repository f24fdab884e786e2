import { type Command, CommanderError } from "commander";
import pc from "picocolors";
import { PlaybookError } from "../errors/error.ts";
import { describeError, printError } from "../report/print.ts";
import { Interrupted } from "./ask.ts";
import { wantsColor } from "./color.ts";
import { exitCodeOf } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { packageVersion } from "./package-root.ts";
import { buildProgram, commandNames } from "./program.ts";
import { closest } from "./suggest.ts";

/** The whole command line: words in, exit code out. Nothing it does escapes as an exception. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await command(argv, io);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof Interrupted) return 130;
    const failure = error instanceof CommanderError ? usage(error, argv) : error;
    const isColored = argv.includes("--no-color") ? false : argv.includes("--color") || undefined;
    const colors = pc.createColors(wantsColor(isColored, io.env, io.stderr));
    io.stderr.write(`${printError(describeError(failure), colors)}\n`);
    return exitCodeOf(failure);
  }
}

async function command(argv: readonly string[], io: Io): Promise<number> {
  const [first, ...rest] = argv;
  if (first === "__complete") {
    const { complete } = await import("./complete.ts");
    io.stdout.write((await complete(rest, io)).map((word) => `${word}\n`).join(""));
    return 0;
  }
  let exitCode = 0;
  const program = buildProgram(packageVersion(), {
    async run(playbook, options) {
      const { runPlaybook } = await import("./run-playbook.ts");
      exitCode = await runPlaybook(playbook, options, { io, help: () => program.outputHelp() });
    },
    async runs(options) {
      const { printRuns } = await import("./runs.ts");
      await printRuns(options, io);
    },
    async show(run, options) {
      const { printRun } = await import("./runs.ts");
      await printRun(run, options, io);
    },
    async resume(run, options) {
      const { resumeRun } = await import("./resume.ts");
      exitCode = await resumeRun(run, options, io);
    },
    async undo(run, options) {
      const { undoRun } = await import("./undo.ts");
      exitCode = await undoRun(run, options, io);
    },
    async unlock(hosts, options) {
      const { unlock } = await import("./unlock.ts");
      exitCode = await unlock(hosts, options, io);
    },
    async completion(shell) {
      const { completionScript } = await import("./completion.ts");
      io.stdout.write(completionScript(shell));
    },
    lab:
      first === "lab" || (first === "help" && rest[0] === "lab")
        ? await labCommand(io, (code) => (exitCode = code))
        : undefined,
  });
  program.configureOutput({ writeOut: (text) => io.stdout.write(text) });
  await program.parseAsync(argv, { from: "user" });
  return exitCode;
}

async function labCommand(io: Io, exit: (code: number) => void): Promise<Command> {
  const { labCommand } = await import("#lab/cli.ts");
  const lab = labCommand({ stdout: io.stdout, stderr: io.stderr, exit });
  for (const each of [lab, ...lab.commands])
    each.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: () => undefined,
    });
  return lab;
}

// "error: unknown option '--chek'\n(Did you mean --check?)" as one of our errors.
function usage(error: CommanderError, argv: readonly string[]): PlaybookError {
  const [first = "", second = ""] = argv;
  // `help WORD` of a word that is no command.
  if (first === "help" && error.code === "commander.help") return noCommand(second);
  if (error.code === "commander.excessArguments" && closest(first, commandNames) !== undefined)
    return noCommand(first);
  const [what = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  const meant = /\((Did you mean .*)\)/.exec(more.join(" "))?.[1];
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1).replace(/\.?$/, ".")}`;
  return new PlaybookError("PB_USAGE", [sentence], meant === undefined ? {} : { hint: meant });
}

function noCommand(word: string): PlaybookError {
  const meant = closest(word, commandNames);
  const hint =
    meant === undefined ? `The commands are ${commandNames.join(", ")}.` : `Did you mean ${meant}?`;
  return new PlaybookError("PB_USAGE", [`There is no command "${word}".`], { hint });
}
