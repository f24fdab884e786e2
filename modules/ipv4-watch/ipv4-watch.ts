/** A count of every IPv4 packet that is not loopback's, as evidence that nothing uses it. */
import { z } from "zod";
import { defineModule, run, sh, withStdin } from "#engine/index.ts";
import { State } from "../params.ts";
import { counter, readPackets, table } from "./read-packets.ts";

export const ipv4Watch = defineModule({
  name: "ipv4-watch",
  summary: "Count the IPv4 packets of a host, but for loopback's; drops nothing.",
  example: "use.ipv4Watch({})",
  params: z.strictObject({ state: State }),
  outputs: z.object({ packets: z.number().describe("Since the count began; -1 where none is.") }),

  async read(host) {
    return { packets: (await readPackets(host)) ?? -1 };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      if (now.packets >= 0) yield end;
    } else if (now.packets < 0) yield begin;
  },

  *undo(before, now) {
    if (before.packets < 0 && now.packets >= 0) yield end;
    if (before.packets >= 0 && now.packets < 0) yield begin;
  },
});

// A bridge without an IPv4 address still tells the kernel's multicast groups on itself, from 0.0.0.0: no use of IPv4.
const RULES = `table ip ${table}
delete table ip ${table}
table ip ${table} {
  counter ${counter} { }
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    ip saddr 0.0.0.0 ip protocol igmp accept
    iifname != "lo" counter name ${counter}
  }
  chain leaving {
    type filter hook output priority raw; policy accept;
    ip saddr 0.0.0.0 ip protocol igmp accept
    oifname != "lo" counter name ${counter}
  }
}
`;

const begin = run(withStdin(sh`nft -f -`, RULES), "IPv4 packets: not counted → counted");
const end = run(sh`nft delete table ip ${table}`, "IPv4 packets: counted → not counted");
