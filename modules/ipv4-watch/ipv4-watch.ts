/** A count of every IPv4 packet that is not loopback's, as evidence that nothing uses it. */
import { z } from "zod";
import { defineModule, run, sh, withStdin } from "#engine/index.ts";
import { State } from "../params.ts";
import { readPackets, table } from "./read-packets.ts";

export const ipv4Watch = defineModule({
  name: "ipv4-watch",
  summary: "Count the IPv4 packets that pass a host, but for loopback; drops nothing.",
  example: "use.ipv4Watch({})",
  params: z.strictObject({ state: State }),
  outputs: z.object({ packets: z.number().describe("Since the count began; -1 where none is.") }),

  async read(host) {
    return { packets: (await readPackets(host)) ?? -1 };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      if (now.packets >= 0)
        yield run(sh`nft delete table ip ${table}`, "IPv4 packets: counted → not counted");
    } else if (now.packets < 0)
      yield run(withStdin(sh`nft -f -`, RULES), "IPv4 packets: not counted → counted");
  },
});

const RULES = `table ip ${table} {
  counter seen { }
  chain arriving {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" counter name seen
  }
  chain leaving {
    type filter hook output priority raw; policy accept;
    oifname != "lo" counter name seen
  }
}
`;
