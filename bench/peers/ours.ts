import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Recap } from "#engine/run/recap.ts";
import { cacheFolder } from "#lab/state/paths.ts";
import type { BenchHosts } from "../hosts.ts";
import { checks } from "../workload.ts";
import type { Peer } from "./peer.ts";

const root = join(import.meta.dirname, "../..");

/** This engine, as it is built: the command line that people type, without npx. */
export async function ours(folder: string): Promise<Peer> {
  const state = join(cacheFolder(), "bench-state");
  await rm(state, { recursive: true, force: true });
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  return {
    name: "run-playbook",
    version: `run-playbook ${version}, Node ${process.versions.node}`,
    settings: "as it comes; a service is not watched after its start",
    async command(on) {
      const inventory = join(folder, "inventory.ts");
      await writeFile(inventory, inventoryText(on));
      const bin = join(root, "dist/engine/cli/bin.js");
      const args = [join(root, "bench/playbook.ts"), "--inventory", inventory, "--output", "json"];
      // Journals of its own, on the disk as ever: /tmp may be memory.
      return { argv: [process.execPath, bin, ...args], env: { XDG_STATE_HOME: state } };
    },
    changed({ stdout }, hosts) {
      const recap = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Recap;
      if (recap.ok + recap.changed !== hosts * checks)
        throw new Error(`run-playbook did not do all of the work: ${JSON.stringify(recap)}`);
      return recap.changed;
    },
  };
}

const inventoryText = ({ hosts, identityFile, knownHostsFile }: BenchHosts): string =>
  `import { defineInventory } from "run-playbook";

export default defineInventory(${JSON.stringify({
    defaults: { user: "root", identityFile, knownHostsFile },
    hosts: Object.fromEntries(hosts.map(({ name, address, port }) => [name, { address, port }])),
    groups: { nodes: hosts.map(({ name }) => name) },
  })});
`;
