import { z } from "zod";
import { type Host, sh } from "#engine/index.ts";
import { invalid, jsonOf } from "../answer.ts";

/** The nftables table that counts. */
export const table = "run_playbook_ipv4";

/** Counts since the table was made; another name where the rules are others. */
export const counter = "used";

const Listed = z.object({
  nftables: z.array(
    z.object({ counter: z.object({ name: z.string(), packets: z.number() }).optional() }),
  ),
});

/**
 * How many were counted; undefined where nothing counts, as the table or nft itself is not there.
 *
 * @throws PB_ANSWER_INVALID where nft cannot tell
 */
export async function readPackets(host: Host): Promise<number | undefined> {
  const { code, stdout, stderr } = await host.run(sh`nft -j list counters table ip ${table}`);
  if (code === NOT_FOUND || /No such file or directory/.test(stderr)) return undefined;
  if (code !== 0) throw invalid("nft list counters", firstLine(stderr) || `it exited ${code}`);
  const { nftables } = jsonOf("nft list counters", Listed, stdout);
  return nftables.find((entry) => entry.counter?.name === counter)?.counter?.packets;
}

/** What a shell answers for a program that is not there (POSIX, 2.8.2). */
const NOT_FOUND = 127;

const firstLine = (text: string) => text.trim().split("\n", 1)[0];
