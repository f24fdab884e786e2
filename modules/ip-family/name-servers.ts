/** Whether a host can ask anybody for names, in the family that it has. */
import { z } from "zod";
import { defineProbe, script } from "#engine/index.ts";
import { familyOf, parseIp, scopeOf } from "#engine/net/ip.ts";
import { Family } from "./family.ts";

// What the kubelet gives to pods, the first where systemd-resolved runs.
const READ = `# name-servers
for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
  [ -r "$file" ] && { sed -n 's/^nameserver[[:space:]]*//p' "$file"; break; }
done
true`;

/** Why pods cannot use an address as their name server, though the host may. */
const UNUSABLE: Partial<Record<ReturnType<typeof scopeOf>, string>> = {
  unspecified: "the host itself",
  loopback: "the pod itself, there",
  "link-local": "on another link, there",
  multicast: "multicast",
  mapped: "IPv4 in IPv6 form",
  reserved: "reserved",
};

export const nameServers = defineProbe({
  name: "name-servers",
  summary:
    "The host has a name server of the cluster's family that pods can reach too: CoreDNS does not start without.",
  example: `use.nameServers({ family: "IPv6" })`,
  params: z.strictObject({ family: Family }),

  async check(host, want) {
    // As the resolver reads it: one address, and the rest of the line counts for nothing.
    const found = (await host.text(script(READ))).split("\n").flatMap((line) => {
      const [server = ""] = line.split(/\s/);
      return server === "" ? [] : [{ server, why: whyNot(server) }];
    });
    const good = found.filter(
      ({ server, why }) => why === undefined && familyOf(server) === want.family,
    );
    const said = found.map(({ server, why }) =>
      why === undefined ? server : `${server} (${why})`,
    );
    if (good.length > 0) return { holds: true, saw: said.join(", ") };
    const has = found.length === 0 ? "no name server" : `only ${said.join(", ")}`;
    return {
      holds: false,
      saw: `${host.name} has ${has}: give it one over ${want.family} (netplan nameservers, /etc/resolv.conf)`,
    };
  },
});

function whyNot(server: string): string | undefined {
  const ip = parseIp(server);
  return ip === undefined ? "no address" : UNUSABLE[scopeOf(ip)];
}
