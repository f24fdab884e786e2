/** Whether every IPv6 address of a host can be used: one that is still checked for duplicates cannot be bound. */
import { z } from "zod";
import { defineProbe } from "#engine/index.ts";

// Bits of the fifth column of /proc/net/if_inet6 (if_addr.h).
const TENTATIVE = 0x40;
const DAD_FAILED = 0x08;

export const noTentativeAddress = defineProbe({
  name: "no-tentative-address",
  summary:
    "No IPv6 address is tentative or a duplicate; servers that bind one within its first second fail.",
  example: `use.noTentativeAddress({ interface: "eth0" })`,
  params: z.strictObject({
    interface: z
      .string()
      .regex(/^[\w.@-]{1,15}$/)
      .optional()
      .describe("Only this interface; all unless given."),
  }),

  async check(host, want) {
    const table = (await host.readFile("/proc/net/if_inet6")) ?? "";
    const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
    const bad = rows.flatMap(([address = "", , , , flags = "0", name = ""]) => {
      if (want.interface !== undefined && name !== want.interface) return [];
      const bits = Number.parseInt(flags, 16);
      if ((bits & DAD_FAILED) !== 0) return [`${readable(address)} on ${name} is in use elsewhere`];
      return (bits & TENTATIVE) === 0 ? [] : [`${readable(address)} on ${name} is tentative`];
    });
    return { holds: bad.length === 0, saw: bad.join(", ") || "every address is usable" };
  },
});

const readable = (hex: string) => (hex.match(/.{4}/g) ?? []).join(":");
