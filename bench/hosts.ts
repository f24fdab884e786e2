/** The lab hosts that are measured on, one delay line before all of them. */
import { readFile } from "node:fs/promises";
import type { Lab } from "#lab/lab.ts";

interface BenchHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** The blob of its ed25519 host key, base64. */
  readonly key: string;
}

/** Hosts, and how they are let in to: as root, by one key, with known host keys. */
export interface BenchHosts {
  readonly hosts: readonly BenchHost[];
  readonly identityFile: string;
  readonly knownHostsFile: string;
}

/** A lab of so many hosts, nothing in it but what the base has. */
export async function benchHosts(lab: Lab, count: number): Promise<BenchHosts> {
  const names = Array.from({ length: count }, (_, index) => `h${index + 1}`);
  const view = await lab.up({ hosts: names, bare: true, yes: true, disk: "1G" });
  const keys = hostKeys(await readFile(view.knownHostsFile, "utf8"));
  const hosts = view.hosts.map(({ name, address }): BenchHost => {
    const key = keys.get(address);
    if (key === undefined) throw new Error(`no host key is known for ${name}`);
    return { name, address, port: 22, key };
  });
  const { identityFile, knownHostsFile } = view;
  return { hosts, identityFile, knownHostsFile };
}

const hostKeys = (knownHosts: string): ReadonlyMap<string, string> =>
  new Map(
    Array.from(
      knownHosts.matchAll(/^(\S+) ssh-ed25519 (\S+)/gm),
      ([, names = "", key = ""]) => [names, key] as const,
    ).flatMap(([names, key]) => names.split(",").map((name) => [name, key] as const)),
  );

/** The first so many of them. */
export const firstOf = (all: BenchHosts, count: number): BenchHosts => ({
  ...all,
  hosts: all.hosts.slice(0, count),
});

/** Half of the round trip each way, on the one line between the machine and all hosts. */
export const setRoundTrip = (lab: Lab, ms: number): Promise<void> =>
  lab.delayAll({ delay: `${ms / 2}ms` });
