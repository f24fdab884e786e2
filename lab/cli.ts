import { Command } from "commander";
import { addFaults } from "./faults/cli.ts";
import { examples } from "./help.ts";
import { writeInventory } from "./inventory-file.ts";
import { type Lab, openLab } from "./lab.ts";
import { lineProgress } from "./lines.ts";
import { addPrune } from "./prune/cli.ts";
import { labStatus } from "./status.ts";
import { DEFAULT_HOSTS } from "./up.ts";
import { type UpFlags, upOptions } from "./up-flags.ts";

/** Where the commands write, and how they set the exit code. */
export interface LabCliIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  exit(code: number): void;
}

const processIo: LabCliIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  exit: (code) => {
    process.exitCode = code;
  },
};

/** `run-playbook lab`: real IPv6 hosts on this machine. */
export function labCommand(io: LabCliIo = processIo): Command {
  const command = new Command("lab")
    .description("Real IPv6 hosts on this machine, for trying playbooks and for tests")
    .option("-n, --name <lab>", "which lab: several live beside each other", "lab")
    .enablePositionalOptions();
  // Behind the subcommand it means the same.
  let named: string | undefined;
  const lab = (): Lab =>
    openLab(named ?? command.opts<{ name: string }>().name, lineProgress(io.stderr));
  addUp(command, lab, io);
  addStatus(command, lab, io);
  addExec(command, lab, io);
  addPower(command, lab);
  addFaults(command, lab);
  addPrune(command, io);
  for (const each of command.commands.filter((one) => one.name() !== "prune"))
    each.option("-n, --name <lab>", "which lab").hook("preAction", () => {
      named = each.opts<{ name?: string }>().name;
    });
  return command;
}

function addUp(command: Command, lab: () => Lab, io: LabCliIo): void {
  command
    .command("up")
    .description("start the lab, add hosts to it, boot hosts that are down; leaves the rest alone")
    .option("--hosts <names>", `comma-separated (a new lab has ${DEFAULT_HOSTS.join(",")})`)
    .option("--disk <size>", "size of each new host's disk (8G in a new lab)")
    .option("--dual-stack", "IPv4 besides IPv6, between the lab's own hosts only")
    .option("--bare", "hosts and packages only: no image registry, no file mirror")
    .option("--from <mirror>", "folder or URL laid out as the lab's mirror, to take artifacts from")
    .option("--inventory <file>", "write the lab's inventory to this file")
    .option("-y, --yes", "install Debian packages that this machine lacks")
    .addHelpText(
      "after",
      examples("lab up", "lab up --hosts cp1,cp2,cp3,w1,w2", "lab up --dual-stack --disk 20G"),
    )
    .action(async (flags: UpFlags) => {
      const view = await lab().up(upOptions(flags));
      if (flags.inventory !== undefined) await writeInventory(view, flags.inventory);
      for (const host of view.hosts) io.stdout.write(`${host.name}\t${host.address}\n`);
    });
  command
    .command("down")
    .description("take the lab away, hosts, disks and all; also clears what a crashed lab left")
    .addHelpText("after", examples("lab down", "lab --name dev down"))
    .action(() => lab().down());
}

function addStatus(command: Command, lab: () => Lab, io: LabCliIo): void {
  command
    .command("status")
    .description(
      "hosts, addresses and services; exit code 1 when something that should run does not",
    )
    .addHelpText("after", examples("lab status"))
    .action(async () => {
      const status = await labStatus(await lab().state());
      io.stdout.write(status.text);
      if (!status.healthy) io.exit(1);
    });
}

function addExec(command: Command, lab: () => Lab, io: LabCliIo): void {
  command
    .command("exec")
    .description("run a program in a host as root, past its network; exits with its exit code")
    .argument("<host>")
    .argument("<command...>")
    .passThroughOptions()
    .addHelpText("after", examples("lab exec cp1 -- ip -6 addr", "lab exec w1 -- journalctl -b"))
    .action(async (host: string, words: string[]) => {
      // With pass-through, commander leaves the separating -- in.
      const [program, ...args] = words[0] === "--" ? words.slice(1) : words;
      if (program === undefined) command.error("error: missing the command to run");
      else io.exit(await lab().execHere(host, [program, ...args]));
    });
  command
    .command("ssh")
    .description("log in to a host over ssh")
    .argument("<host>")
    .argument("[command...]")
    .passThroughOptions()
    .addHelpText("after", examples("lab ssh cp1", "lab ssh cp1 uptime"))
    .action(async (host: string, rest: string[]) => io.exit(await lab().ssh(host, rest)));
}

function addPower(command: Command, lab: () => Lab): void {
  command
    .command("kill")
    .description("cut the power of hosts: processes end at once, the disk stays")
    .argument("<hosts...>")
    .addHelpText("after", examples("lab kill cp2", "lab kill cp2 cp3"))
    .action((hosts: string[]) => lab().kill(...hosts));
  command
    .command("start")
    .description("boot hosts whose power was cut, from their own disks")
    .argument("<hosts...>")
    .addHelpText("after", examples("lab start cp2"))
    .action((hosts: string[]) => lab().start(...hosts));
}
