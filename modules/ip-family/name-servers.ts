/** Whether a host can ask anybody for names, in the family that it has. */
import { z } from "zod";
import { defineProbe, script } from "#engine/index.ts";
import { Family, familyOf } from "./family.ts";

// What the kubelet gives to pods, the first where systemd-resolved runs.
const READ = `# name-servers
for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
  [ -r "$file" ] && { sed -n 's/^nameserver[[:space:]]*//p' "$file"; break; }
done
true`;

export const nameServers = defineProbe({
  name: "name-servers",
  summary: "The host has a name server of the cluster's family: CoreDNS does not start without.",
  example: `use.nameServers({ family: "IPv6" })`,
  params: z.strictObject({ family: Family }),

  async check(host, want) {
    const found = (await host.text(script(READ))).split("\n").filter(Boolean);
    if (found.some((server) => familyOf(server) === want.family))
      return { holds: true, saw: found.join(", ") };
    const has = found.length === 0 ? "no name server" : `only ${found.join(", ")}`;
    return {
      holds: false,
      saw: `${host.name} has ${has}: give it one over ${want.family} (netplan nameservers, /etc/resolv.conf)`,
    };
  },
});
