import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeWhole } from "./state/state.ts";
import type { LabHostView, LabView } from "./view.ts";

/** Writes the inventory that playbooks import as `inventory/lab.ts`. */
export async function writeInventory(view: LabView, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeWhole(file, inventorySource(view), 0o644);
}

/** The text of that file. It names the files with the keys and the password, never what is in them. */
export function inventorySource(view: LabView): string {
  const text = JSON.stringify;
  const group = (role: LabHostView["role"]) =>
    text(view.hosts.filter((host) => host.role === role).map(({ name }) => name));
  const hosts = view.hosts.map(
    ({ name, address }) => `    ${text(name)}: {
      address: ${text(address)},
      user: "root",
      identityFile: ${text(view.identityFile)},
      knownHosts: ${text(view.knownHostsFile)},
    },`,
  );
  return `// Written by \`run-playbook lab up\`: the hosts of lab "${view.name}".
import { defineInventory } from "run-playbook";

export const lab = defineInventory({
  hosts: {
${hosts.join("\n")}
  },
  groups: {
    controlPlane: ${group("controlPlane")},
    workers: ${group("worker")},
  },
});

export default lab;
`;
}
