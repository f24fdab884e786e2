import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchHosts } from "../hosts.ts";
import { checks, files, services } from "../workload.ts";
import type { Peer } from "./peer.ts";
import { type PeersRoot, SITE_PACKAGES } from "./root.ts";

/** Ansible as somebody would set it who wants it fast, with mitogen in place of its own way to hosts or without. */
export async function ansible(root: PeersRoot, way: "ssh" | "mitogen"): Promise<Peer> {
  const { versions } = root;
  const core = `ansible-core ${versions["ansible-core"]}`;
  const isMitogen = way === "mitogen";
  return {
    name: isMitogen ? "Ansible + mitogen" : "Ansible",
    version: isMitogen ? `${core}, mitogen ${versions["mitogen"]}` : core,
    settings: `${isMitogen ? "strategy mitogen_linear" : "pipelining on"}, forks = hosts, no facts`,
    async command(on) {
      const folder = await root.share(`ansible-${way}`, on);
      await mkdir(folder.outside, { recursive: true });
      const put = (name: string, text: string) => writeFile(join(folder.outside, name), text);
      await put("ansible.cfg", configuration(on, folder.inside, isMitogen));
      await put("hosts.yaml", inventory(on, folder.inside));
      await put("work.yaml", playbook());
      return root.command(["/opt/peers/bin/ansible-playbook", "-i", "hosts.yaml", "work.yaml"], {
        folder: folder.inside,
      });
    },
    changed({ stdout }, hosts) {
      const recap = Array.from(
        stdout.matchAll(/: ok=(\d+) +changed=(\d+) +unreachable=0 +failed=0 /g),
        ([, ok, changed]) => ({ ok: Number(ok), changed: Number(changed) }),
      );
      if (recap.length !== hosts || recap.some(({ ok }) => ok !== checks))
        throw new Error(`Ansible did not do all of the work:\n${stdout.slice(-2000)}`);
      return recap.reduce((sum, { changed }) => sum + changed, 0);
    },
  };
}

// ControlPersist ends with the process's own namespace, so every run makes its connections anew.
const configuration = ({ hosts }: BenchHosts, folder: string, isMitogen: boolean) => `[defaults]
forks = ${hosts.length}
gathering = explicit
host_key_checking = True
retry_files_enabled = False
interpreter_python = /usr/bin/python3
${
  isMitogen
    ? `strategy_plugins = ${SITE_PACKAGES}/ansible_mitogen/plugins/strategy\nstrategy = mitogen_linear\n`
    : ""
}
[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${folder}/known_hosts
`;

// JSON is YAML.
const inventory = ({ hosts }: BenchHosts, folder: string): string =>
  JSON.stringify({
    all: {
      hosts: Object.fromEntries(
        hosts.map(({ name, address, port }) => [
          name,
          { ansible_host: address, ansible_port: port },
        ]),
      ),
      vars: { ansible_user: "root", ansible_ssh_private_key_file: `${folder}/id` },
    },
  });

const playbook = (): string =>
  JSON.stringify([
    {
      hosts: "all",
      gather_facts: false,
      tasks: [
        ...files.map(({ path, content, owner, group, mode }) => ({
          name: path,
          "ansible.builtin.copy": { dest: path, content, owner, group, mode },
        })),
        ...services.map((name) => ({
          name,
          "ansible.builtin.systemd_service": { name, state: "started", enabled: true },
        })),
      ],
    },
  ]);
