import type { Command } from "../host/command.ts";
import type { Host } from "../host/host.ts";
import { commandFailed } from "./command-failure.ts";
import { textOf } from "./file-text.ts";
import { askedTogether } from "./questions.ts";
import { callOptions, type Manner, type Reached } from "./reached.ts";

/** A reached host as modules see it: only ways to look, the step's user, environment and deadline applied. */
export function hostFor(reached: Reached, manner: Manner): Host {
  const run = (command: Command) =>
    reached.connection.run(withEnv(command, manner), callOptions(manner));
  const text = async (command: Command) => {
    const result = await run(command);
    if (result.code !== 0) throw commandFailed(command, result);
    return result.stdout.replace(/\n$/, "");
  };
  const asker = { run, key: `${manner.as} ${JSON.stringify(manner.env)}` };
  const stat = (path: string) => reached.connection.stat(path, callOptions(manner));
  return {
    name: reached.name,
    facts: reached.facts,
    run,
    text,
    stat,
    async ask(question, about) {
      const answer = await askedTogether(reached.connection, question, about, asker);
      return answer ?? text(question.command([about]));
    },
    async readFile(path) {
      const bytes = await reached.connection.readFile(path, callOptions(manner));
      return bytes && textOf(bytes);
    },
    async sha256(path) {
      // Asked in one tick, so one round trip; a file that is not there is an answer, any other trouble an error.
      const command: Command = { argv: ["sha256sum", "--", path] };
      const [there, hashed] = await Promise.all([stat(path), run(command)]);
      if (there === undefined) return undefined;
      if (hashed.code !== 0) throw commandFailed(command, hashed);
      // sha256sum starts the line with a backslash where it had to escape the name.
      return /^\\?([0-9a-f]{64})/.exec(hashed.stdout)?.[1];
    },
  };
}

/** A command in the step's environment; what the command itself says wins. */
export const withEnv = (command: Command, { env }: Manner): Command =>
  Object.keys(env).length === 0 ? command : { ...command, env: { ...env, ...command.env } };
