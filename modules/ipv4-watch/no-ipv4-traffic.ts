/** Whether IPv4 is really out of use. */
import { defineProbe, noParams } from "#engine/index.ts";
import { readPackets, table } from "./read-packets.ts";

export const noIpv4Traffic = defineProbe({
  name: "no-ipv4-traffic",
  summary: "Since ipv4-watch began to count, no IPv4 packet passed but loopback's.",
  example: "use.noIpv4Traffic({})",
  params: noParams,

  async check(host) {
    const packets = await readPackets(host);
    if (packets === undefined)
      return { holds: false, saw: "nobody counts: ipv4-watch comes first" };
    return packets === 0
      ? { holds: true, saw: "0 IPv4 packets" }
      : {
          holds: false,
          saw: `${packets} IPv4 packets: see who with \`ss -4tunp\` or \`tcpdump -ni any ip\`; then \`nft reset counters table ip ${table}\``,
        };
  },
});
