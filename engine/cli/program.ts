import { Command, InvalidArgumentError, Option } from "commander";
import { mainHelp } from "./help.ts";
import {
  type CliOptions,
  outputs,
  type ResumeOptions,
  type RunsOptions,
  type ShowOptions,
} from "./options.ts";

/** What the commands do; the program only says how they are called. */
export interface Actions {
  run(playbook: string | undefined, options: CliOptions): Promise<void>;
  runs(options: RunsOptions): Promise<void>;
  show(run: string, options: ShowOptions): Promise<void>;
  resume(run: string, options: ResumeOptions): Promise<void>;
  unlock(hosts: readonly string[], options: CliOptions): Promise<void>;
  completion(shell: string): void;
  /** The lab's own command, loaded only when it is called for. */
  readonly lab: Command | undefined;
}

/** What may stand in a playbook's place. */
export const commandNames = [
  "runs",
  "show",
  "resume",
  "unlock",
  "lab",
  "completion",
  "help",
] as const;

/** The command line: `run-playbook PLAYBOOK` with its options, and the few other commands beside it. */
export function buildProgram(version: string, actions: Actions): Command {
  const program = new Command("run-playbook")
    .description("Brings hosts into the state that a playbook declares, and proves it.")
    .usage("PLAYBOOK [options]")
    .version(version, "-V, --version", "print the version")
    .argument("[PLAYBOOK]", "a .ts file, or the name of one under playbooks/")
    .helpOption(false)
    .helpCommand("help [COMMAND]", "this page, or that of a command")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  addWhere(program);
  addHow(program);
  addShow(program);
  program
    .addHelpText("after", mainHelp)
    .action((playbook: string | undefined, options: CliOptions) => actions.run(playbook, options));
  addRunCommands(program, actions);
  program.addCommand(actions.lab ?? labStub());
  program
    .command("unlock")
    .description("free hosts that a run which died still holds")
    .argument("<HOST...>", "names of the inventory")
    .option("-i, --inventory <FILE>", "where the hosts are; inventory/hosts.ts unless given")
    .option("--lab [NAME]", "the hosts of a lab of this machine")
    .option("-y, --yes", "answer yes")
    .addHelpText("after", "\nExample:\n  $ run-playbook unlock w1 w2 -i inventory/prod.ts")
    .action((hosts: readonly string[], options: CliOptions) => actions.unlock(hosts, options));
  program
    .command("completion")
    .helpOption("-h, --help", "this page")
    .description("print a completion script for bash, zsh or fish")
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText("after", "\nExample:\n  $ source <(run-playbook completion bash)")
    .action((shell: string) => actions.completion(shell));
  return program;
}

function addWhere(program: Command): void {
  program
    .optionsGroup("Where:")
    .option("-i, --inventory <FILE>", "the hosts to run on; the playbook's own unless given")
    .option("--lab [NAME]", "run on a lab of this machine, and start it if needed")
    .option("--limit <HOSTS>", "only these hosts or groups, comma-separated", names)
    .option("--only <STEPS>", "only these steps and what they depend on", names);
}

function addHow(program: Command): void {
  program
    .optionsGroup("How:")
    .option("--check", "change nothing, say what would change; exit 3 when something would")
    .option("--plan-out <FILE>", "check, and keep what would change in a file to apply later")
    .option("--apply-plan <FILE>", "make what such a file announces, and nothing else")
    .option("--plan-key <FILE>", "the key of plan files (default: one of this user's own)")
    .option("--param <NAME=VALUE>", "a parameter of the playbook; may be given again", collect)
    .option(
      "--window <FROM-TO[@ZONE]>",
      "begin nothing outside these hours, as 22:00-04:00; exit 4",
    )
    .option("--forks <NUMBER>", "how many hosts to work on at once (default: 50)", count)
    .option("-y, --yes", "answer yes: the playbook's question, and packages that a lab needs");
}

function addShow(program: Command): void {
  program
    .optionsGroup("What to show:")
    .option("--list", "the steps and their hosts; connects to nothing")
    .option("--graph", "the steps as a Mermaid graph; connects to nothing")
    .option("-h, --help", "this page; after a PLAYBOOK, what it does and its parameters");
  addOutput(program);
}

function addOutput(command: Command): Command {
  return command
    .option("--diff", "the differences of files")
    .addOption(
      new Option(
        "--output <FORM>",
        "tree on a terminal, lines elsewhere, json for programs",
      ).choices([...outputs]),
    )
    .option("-v, --verbose", "more; -vv still more", (_, before: number) => before + 1, 0)
    .option("--color", "colours although this is no terminal")
    .option("--no-color", "no colours (NO_COLOR in the environment says the same)");
}

function addRunCommands(program: Command, actions: Actions): void {
  const output = () =>
    new Option("--output <FORM>", "text, or json for programs").choices(["text", "json"]);
  program
    .command("runs")
    .helpOption("-h, --help", "this page")
    .description("the runs that were made here, and what is left of each")
    .option("--all", "all of them, not only the last 20")
    .addOption(output())
    .action((options: RunsOptions) => actions.runs(options));
  program
    .command("show")
    .helpOption("-h, --help", "this page")
    .description("what a run did, what is in doubt, what is left")
    .argument("<RUN>", "its name or the beginning of it; last for the newest")
    .addOption(output())
    .action((run: string, options: ShowOptions) => actions.show(run, options));
  const resume = program
    .command("resume")
    .helpOption("-h, --help", "this page")
    .description("go on with a run that was killed, interrupted or failed")
    .argument("<RUN>", "its name or the beginning of it; last for the newest unfinished one")
    .option(
      "-y, --yes",
      "answer yes: go on although playbook or inventory differ, and its question",
    )
    .option("--param <NAME=VALUE>", "a secret that it was given; may be given again", collect)
    .action((run: string, options: ResumeOptions) => actions.resume(run, options));
  addOutput(resume).addHelpText(
    "after",
    `
It is run again as it was: playbook, inventory, parameters, limits. Finished steps are read
again, steps in doubt are read first, and what a change set off still runs. Where the
playbook or the inventory differ since, what differs is named before anything runs.

Example:
  $ run-playbook resume last`,
  );
}

// What is shown in --help before the lab is loaded: its own help tells the rest.
const labStub = (): Command =>
  new Command("lab").description(
    "real IPv6 hosts on this machine: up, status, exec, ssh, kill, down",
  );

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

const names = (value: string, before: readonly string[] = []): string[] => [
  ...before,
  ...value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== ""),
];

function count(value: string): number {
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new InvalidArgumentError("It is a number from 1 on.");
  return Number(value);
}
