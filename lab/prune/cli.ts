import type { Command } from "commander";
import type { LabCliIo } from "../cli.ts";
import { examples } from "../help.ts";
import type { Prunable } from "./place.ts";
import { findPrunables, type Prunables } from "./prune.ts";

/** The command that clears the cache that all labs share. */
export function addPrune(command: Command, io: LabCliIo, find = findPrunables): void {
  command
    .command("prune")
    .description(
      "say what of the cache no lab needs any more, and how much it is; --yes removes it",
    )
    .option("-y, --yes", "remove it")
    .addHelpText(
      "after",
      `
What can go: versions of programs and images that this version of run-playbook
does not name, and whatever was not used for 30 days. What a lab that is there
may use stays, and so does what a build is working on.
${examples("lab prune", "lab prune --yes")}`,
    )
    .action(async ({ yes = false }: { yes?: boolean }) => {
      const found = await find();
      io.stdout.write(listing(found));
      if (!yes) {
        if (found.items.length > 0) io.stdout.write("Nothing was removed: --yes does it.\n");
        return;
      }
      io.stdout.write(await removed(found.items));
    });
}

function listing({ items, labs }: Prunables): string {
  const kept = labs.length === 0 ? "" : `What ${labs.join(", ")} may use is kept.\n`;
  if (items.length === 0) return `Nothing in the cache can go.\n${kept}`;
  const size = Math.max(...items.map(({ what }) => what.length));
  const lines = items.map(
    ({ what, bytes, why }) => `${what.padEnd(size)}  ${megabytes(bytes).padStart(9)}  ${why}\n`,
  );
  return `${lines.join("")}${"In all".padEnd(size)}  ${megabytes(sum(items)).padStart(9)}\n${kept}`;
}

async function removed(items: readonly Prunable[]): Promise<string> {
  const gone: Prunable[] = [];
  const held: Prunable[] = [];
  for (const item of items) ((await item.remove()) ? gone : held).push(item);
  const lines = held.map(({ what }) => `${what} is in use and stays.\n`);
  return `${lines.join("")}Removed ${megabytes(sum(gone))}.\n`;
}

const sum = (items: readonly Prunable[]): number =>
  items.reduce((total, { bytes }) => total + bytes, 0);

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
