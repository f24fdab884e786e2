import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchHosts } from "../hosts.ts";
import { checks, files, services } from "../workload.ts";
import type { Peer } from "./peer.ts";
import type { PeersRoot } from "./root.ts";

/** pyinfra, with as many hosts at once as there are. */
export async function pyinfra(root: PeersRoot): Promise<Peer> {
  return {
    name: "pyinfra",
    version: `pyinfra ${root.versions["pyinfra"]}`,
    settings: "--parallel = hosts",
    async command(on) {
      const folder = await root.share("pyinfra", on);
      await mkdir(folder.outside, { recursive: true });
      await writeFile(join(folder.outside, "hosts.py"), inventory(on, folder.inside));
      await writeFile(join(folder.outside, "work.py"), deploy);
      const options = ["-y", "--parallel", String(on.hosts.length)];
      return root.command(["/opt/peers/bin/pyinfra", ...options, "hosts.py", "work.py"], {
        folder: folder.inside,
      });
    },
    changed({ stdout, stderr }, hosts) {
      // Operations, changed, failed, not changed; a dash is none.
      const total = /Grand total\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)/.exec(stdout + stderr);
      const [all, changed, failed] = (total ?? []).slice(1).map((count) => Number(count) || 0);
      if (all !== hosts * checks || failed !== 0 || changed === undefined)
        throw new Error(`pyinfra did not do all of the work:\n${(stdout + stderr).slice(-2000)}`);
      return changed;
    },
  };
}

const inventory = ({ hosts }: BenchHosts, folder: string): string => {
  const entries = hosts.map(({ address, port }) => {
    const data = {
      ssh_user: "root",
      ssh_port: port,
      ssh_key: `${folder}/id`,
      ssh_known_hosts_file: `${folder}/known_hosts`,
      ssh_strict_host_key_checking: "yes",
    };
    return `    (${JSON.stringify(address)}, ${JSON.stringify(data)}),`;
  });
  return `nodes = [\n${entries.join("\n")}\n]\n`;
};

// What JSON writes of texts and lists of them is Python too.
const deploy = `import io
from pyinfra.operations import files, systemd

FILES = ${JSON.stringify(files)}

for file in FILES:
    files.put(
        name=file["path"],
        src=io.StringIO(file["content"]),
        dest=file["path"],
        user=file["owner"],
        group=file["group"],
        mode=file["mode"],
    )

for service in ${JSON.stringify(services)}:
    systemd.service(name=service, service=service, running=True, enabled=True)
`;
