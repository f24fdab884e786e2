/** A check that comes before any change: is this a host that the rest was made for? */
import { z } from "zod";
import { defineModule, PlaybookError } from "#engine/index.ts";

const SUPPORTED = {
  debian: ["12", "13"],
  ubuntu: ["22.04", "24.04", "26.04"],
};

export const assertOs = defineModule({
  name: "assert-os",
  summary: "Refuse a host whose system, architecture or size is not supported, before any change.",
  example: `use.assertOs({ memory: 2048 })`,

  params: z.strictObject({
    systems: z
      .record(z.string(), z.array(z.string()).min(1))
      .default(SUPPORTED)
      .describe("ID and VERSION_IDs of /etc/os-release that are accepted."),
    architectures: z
      .array(z.string())
      .min(1)
      .default(["amd64", "arm64"])
      .describe("As Debian names them."),
    memory: z.int().min(0).default(0).describe("MiB that the host must have at least."),
    cpus: z.int().min(0).default(0).describe("Processors that the host must have at least."),
  }),

  outputs: z.object({
    id: z.string().describe("As debian."),
    version: z.string().describe("As 13."),
    codename: z.string().describe("As trixie."),
    arch: z.string().describe("As amd64."),
    bootId: z.string().describe("Changes with every boot; what the reboot module's `since` takes."),
  }),

  async read({ facts }) {
    const { os, arch, bootId, memory, cpus } = facts;
    return { ...os, arch, bootId, memory, cpus };
  },

  *diff(now, want) {
    const refuse = (what: string, supported: string) => {
      throw new PlaybookError("PB_UNSUPPORTED_HOST", [what, supported]);
    };
    if (!want.systems[now.id]?.includes(now.version))
      refuse(`${now.id} ${now.version}`, listSystems(want.systems));
    if (!want.architectures.includes(now.arch))
      refuse(`Architecture ${now.arch}`, want.architectures.join(", "));
    if (now.memory < want.memory) refuse(`${now.memory} MiB of memory`, `${want.memory} and more`);
    if (now.cpus < want.cpus) refuse(`${now.cpus} processors`, `${want.cpus} and more`);
  },

  *undo() {},
});

const listSystems = (systems: Record<string, string[]>) =>
  Object.entries(systems)
    .map(([id, versions]) => `${id} ${versions.join("/")}`)
    .join(", ");
