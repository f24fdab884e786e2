/** A command, for what no module knows: only with a goal that can be looked at, so that a second run has nothing to do. */
import { z } from "zod";
import {
  type Change,
  type Command,
  defineModule,
  type Host,
  isSecret,
  run,
  type Secret,
  script,
  toMs,
} from "#engine/index.ts";
import { AbsolutePath, Argument, Argv, DurationText, Line } from "../params.ts";

const Params = z
  .strictObject({
    argv: Argv,
    creates: AbsolutePath.optional().describe("The goal: this path is there."),
    unless: Argv.optional().describe("The goal: this command exits 0."),
    until: Argv.optional().describe(
      "The goal: this command exits 0, and is asked again for up to `within` after `argv` ended.",
    ),
    within: DurationText.default("30s").describe("How long `until` may take to become true."),
    stdin: z
      .union([z.string(), z.custom<Secret>(isSecret, "expected text or a secret")])
      .optional()
      .describe("What it reads; the only place for secrets."),
    cwd: AbsolutePath.optional().describe("The folder it runs in."),
    env: z
      .record(z.string().regex(/^[a-z_]\w*$/i), Argument)
      .default({})
      .describe("Environment."),
    timeout: DurationText.default("5m").describe("For the command."),
    say: Line.optional().describe("What it does, in words; the command itself unless given."),
  })
  .refine(
    ({ creates, unless, until }) =>
      [creates, unless, until].filter((goal) => goal !== undefined).length === 1,
    { message: "expected exactly one goal: creates, unless or until" },
  );
type Want = z.output<typeof Params>;

export const command = defineModule({
  name: "command",
  summary:
    "Run a command until its goal is reached: a path that it creates, or another command that then exits 0.",
  lasting: "only its author knows what a command does",
  example: `use.command({ argv: ["ssh-keygen", "-A"], creates: "/etc/ssh/ssh_host_ed25519_key" })`,
  params: Params,
  outputs: z.object({ reached: z.boolean().describe("Whether the goal is reached.") }),

  async read(host, want) {
    return { reached: await isReached(host, want) };
  },

  *diff({ reached }, want): Generator<Change> {
    if (reached) return;
    const { argv, stdin, env, cwd, timeout, until, within } = want;
    const say = want.say ?? `run ${argv.join(" ")}`;
    const how = {
      ...(stdin === undefined ? {} : { stdin }),
      ...(cwd === undefined ? {} : { cwd }),
    };
    const command: Command = { argv, env, ...how };
    yield run(command, say, { timeout });
    if (until === undefined) return;
    const seconds = Math.ceil(toMs(within) / 1000);
    yield run(
      placed(want, script(UNTIL, seconds, ...until)),
      `wait until ${until.join(" ")} succeeds`,
      {
        timeout: `${seconds + 10}s`,
      },
    );
  },
});

/** A goal is asked where the command runs, and with its environment. */
const placed = ({ cwd, env }: Want, command: Command): Command => ({
  ...command,
  env,
  ...(cwd === undefined ? {} : { cwd }),
});

async function isReached(host: Host, want: Want): Promise<boolean> {
  const { creates, unless, until } = want;
  if (creates !== undefined) return (await host.stat(creates)) !== undefined;
  const argv = unless ?? until;
  if (argv === undefined) return true;
  return (await host.run(placed(want, { argv }))).code === 0;
}

const UNTIL = `# command-until
left=$1
shift
while ! "$@"; do
  if [ "$left" -le 0 ]; then exit 1; fi
  left=$((left - 1))
  sleep 1
done`;
