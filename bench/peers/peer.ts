import type { BenchHosts } from "../hosts.ts";
import type { Command, Printed } from "../measure.ts";

export const peerNames = [
  "floor",
  "run-playbook",
  "Ansible",
  "Ansible + mitogen",
  "pyinfra",
] as const;
export type PeerName = (typeof peerNames)[number];

/** Something that does the work, and can be measured at it. */
export interface Peer {
  readonly name: PeerName;
  /** Its version, and those of what it stands on. */
  readonly version: string;
  /** What was set, in words. */
  readonly settings: string;
  /** The whole process that does the work on these hosts. */
  command(on: BenchHosts): Promise<Command>;
  /** How many of the checks it said it had to change, over all hosts. @throws where it did not do all of the work */
  changed(printed: Printed, hosts: number): number;
}
