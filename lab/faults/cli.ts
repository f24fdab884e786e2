import type { Command } from "commander";
import { examples } from "../help.ts";
import type { Lab } from "../lab.ts";
import { splitDelayWords } from "./parse.ts";

/** The commands that break a lab's network and disks on purpose, and the one that mends them. */
export function addFaults(command: Command, lab: () => Lab): void {
  command
    .command("cut")
    .description("make the network of hosts dark: both ways, nothing but silence")
    .argument("<hosts...>")
    .addHelpText("after", examples("lab cut cp2", "lab cut cp2 w1"))
    .action((hosts: string[]) => lab().cut(...hosts));
  addDelay(command, lab);
  command
    .command("fill")
    .description("fill the disks of hosts")
    .argument("<hosts...>")
    .option("--leave <size>", "room to leave, such as 512K or 1M", "0")
    .addHelpText("after", examples("lab fill w1", "lab fill w1 --leave 1M"))
    .action((hosts: string[], { leave }: { leave: string }) => lab().fill(hosts, { leave }));
  command
    .command("heal")
    .description("undo cut, delay, loss and fill")
    .argument("[hosts...]")
    .option("--all", "every host, and the machine's own way to them")
    .addHelpText("after", examples("lab heal cp2", "lab heal --all"))
    .action((hosts: string[], { all = false }: { all?: boolean }, self: Command) => {
      if (all === hosts.length > 0) self.error("error: give either hosts or --all");
      return lab().heal(...hosts);
    });
}

interface DelayFlags {
  readonly loss?: string;
  readonly all?: boolean;
}

function addDelay(command: Command, lab: () => Lab): void {
  command
    .command("delay")
    .description("delay all that hosts send and get; a round trip takes twice the delay longer")
    .usage("[options] <hosts...> <delay>")
    .argument("<words...>", "hosts, then the delay one way, such as 50ms (0ms: none)")
    .option("--loss <percent>", "lose so many of the frames in each direction")
    .option("--all", "one line between this machine and all hosts, instead of one at each host")
    .addHelpText(
      "after",
      examples("lab delay w1 50ms", "lab delay w1 200ms --loss 30", "lab delay --all 50ms"),
    )
    .action((words: string[], { loss = "0", all = false }: DelayFlags, self: Command) => {
      const { hosts, delay } = splitDelayWords(words);
      if (all === hosts.length > 0) self.error("error: give a delay, and either hosts or --all");
      return all ? lab().delayAll({ delay, loss }) : lab().delay(hosts, { delay, loss });
    });
}
