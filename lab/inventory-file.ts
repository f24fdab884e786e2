import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { MIRROR_PORT, REGISTRY_PORT } from "./ports.ts";
import { writeWhole } from "./state/state.ts";
import { labVersions } from "./versions.ts";
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
    ({ name, address }) => `    ${text(name)}: { address: ${text(address)} },`,
  );
  return `// Written by \`run-playbook lab up\`: the hosts of lab "${view.name}".
import { defineInventory } from "run-playbook";

export default defineInventory({
  defaults: {
    user: "root",
    identityFile: ${text(view.identityFile)},
    knownHostsFile: ${text(view.knownHostsFile)},
  },
  hosts: {
${hosts.join("\n")}
  },
  groups: {
    controlPlane: ${group("controlPlane")},
    workers: ${group("worker")},
  },
  settings: ${indented(JSON.stringify(clusterSettings(view), null, 2))},
});
`;
}

const indented = (json: string): string => json.replaceAll("\n", "\n  ");

/** The cluster that bootstrap.ts makes of the lab. What only a lab needs is under `quirks`. */
function clusterSettings(view: LabView) {
  const registry = `http://[${view.serviceAddress}]:${REGISTRY_PORT}`;
  return {
    addresses: {
      nodes: view.prefix,
      pods: view.podPrefixes[0],
      services: view.servicePrefixes[0],
      virtualIp: view.virtualIp,
    },
    endpoint: { name: `api.${view.name}` },
    versions: {
      kubernetes: labVersions.kubernetes,
      etcd: labVersions.etcd,
      containerd: labVersions.containerd,
      cniPlugins: labVersions.cniPlugins,
      flannel: labVersions.flannel,
    },
    source: { mirror: `http://[${view.serviceAddress}]:${MIRROR_PORT}` },
    registryMirrors: { "registry.k8s.io": [registry], "ghcr.io": [registry] },
    quirks: quirks(existsSync("/sys/fs/cgroup/cgroup.controllers")),
  };
}

// Lab hosts share the machine's kernel: its memory, its swap, its machine-wide sysctls and its missing capabilities.
const quirks = (cgroupV2: boolean) => ({
  ignorePreflightErrors: ["SystemVerification", "Mem", "NumCPU", "Swap"],
  kubelet: {
    failSwapOn: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      "nodefs.available": "0%",
      "imagefs.available": "0%",
      "nodefs.inodesFree": "0%",
    },
    ...(cgroupV2 ? {} : { cgroupDriver: "cgroupfs", failCgroupV1: false }),
  },
  kubeProxy: { conntrack: { maxPerCore: 0 } },
  ...(cgroupV2 ? {} : { cgroupDriver: "cgroupfs" }),
  restrictOomScoreAdj: true,
});
