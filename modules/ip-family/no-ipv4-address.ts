/** Whether a host could use IPv4 at all. */
import { defineProbe, noParams, sh } from "#engine/index.ts";

export const noIpv4Address = defineProbe({
  name: "no-ipv4-address",
  summary: "The host has no IPv4 address but loopback's.",
  example: "use.noIpv4Address({})",
  params: noParams,

  async check(host) {
    const printed = await host.text(sh`ip -o -4 address show`);
    const found = Array.from(
      printed.matchAll(/^\d+:\s+(\S+)\s+inet (\S+)/gm),
      ([, device = "", address = ""]) => ({ device, address }),
    ).filter(({ device }) => device !== "lo");
    return found.length === 0
      ? { holds: true, saw: "IPv4 addresses on lo only" }
      : {
          holds: false,
          saw: `${host.name} has ${found.map(({ device, address }) => `${address} on ${device}`).join(", ")} (a DHCP client, or netplan: see \`networkctl status\`)`,
        };
  },
});
