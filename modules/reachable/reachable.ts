/** Whether other hosts answer, as seen from a host. */
import { z } from "zod";
import { defineProbe, script, toMs } from "#engine/index.ts";
import { ZonedAddress } from "../address.ts";
import { DurationText } from "../params.ts";
import { REACH } from "../reach-script.ts";

export const reachable = defineProbe({
  name: "reachable",
  summary:
    "Every peer answers: ping where the host has it, else a TCP answer (a refusal counts) or neighbour discovery.",
  example: `use.reachable({ peers: ["2001:db8:1::1", "2001:db8:1::12"] })`,
  params: z.strictObject({
    peers: z.array(ZonedAddress).min(1).describe("Addresses without brackets, all asked at once."),
    timeout: DurationText.default("1s").describe("For one answer."),
  }),

  async check(host, { peers, timeout }) {
    const seconds = Math.max(1, Math.ceil(toMs(timeout) / 1000));
    const { code, stdout } = await host.run(script(REACH, seconds, ...peers));
    const silent = stdout.split("\n").filter(Boolean);
    const saw = code === 0 ? `all ${peers.length} answer` : `no answer from ${silent.join(", ")}`;
    return { holds: code === 0, saw };
  },
});
