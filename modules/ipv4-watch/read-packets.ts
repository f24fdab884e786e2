import { z } from "zod";
import { type Host, sh } from "#engine/index.ts";
import { jsonOf } from "../answer.ts";

/** The nftables table that counts. */
export const table = "run_playbook_ipv4";

/** Counts since the table was made; another name where the rules are others. */
export const counter = "used";

const Listed = z.object({
  nftables: z.array(
    z.object({ counter: z.object({ name: z.string(), packets: z.number() }).optional() }),
  ),
});

/** How many were counted; undefined where nothing counts. */
export async function readPackets(host: Host): Promise<number | undefined> {
  const { code, stdout } = await host.run(sh`nft -j list counters table ip ${table}`);
  if (code !== 0) return undefined;
  const { nftables } = jsonOf("nft list counters", Listed, stdout);
  return nftables.find((entry) => entry.counter?.name === counter)?.counter?.packets;
}
