import { createHash } from "node:crypto";
import { Address6 } from "ip-address";

/** Every address of a lab, derived from its name: labs live beside each other without asking one another. */
export interface AddressPlan {
  /** The hosts' /64. */
  readonly prefix: string;
  /** The bridge, in the lab's own namespace: it answers pings and forwards nothing. */
  readonly gateway: string;
  /** The machine's end of the cable: where the lab's services listen. */
  readonly machine: string;
  /** Reserved for the cluster's API. */
  readonly virtualIp: string;
  /** For pods (/56) and Services (/112), from the same /48 and not in use by the lab itself. */
  readonly podPrefix: string;
  readonly servicePrefix: string;
  host(index: number): string;
}

/** A host's first index: what lies below belongs to the lab. Its address shows it in decimal, 11 is …::11. */
export const FIRST_HOST = 11;
/** The virtual IP's index, so a lab has 89 hosts at most below it and more above. */
const VIRTUAL_IP = 100;

/**
 * The plan of a lab. RFC 4193 wants 40 pseudo-random bits after fd: here they come from the name, so that a lab has the
 * same addresses on every machine and each time.
 */
export function addressPlan(lab: string): AddressPlan {
  const digest = createHash("sha256").update(`run-playbook lab ${lab}`).digest("hex");
  const site = `fd${digest.slice(0, 2)}:${digest.slice(2, 6)}:${digest.slice(6, 10)}`;
  const at = (subnet: number, host: string) => canonical(`${site}:${subnet.toString(16)}::${host}`);
  return {
    prefix: `${at(1, "")}/64`,
    gateway: at(1, "1"),
    machine: at(1, "2"),
    virtualIp: at(1, String(VIRTUAL_IP)),
    podPrefix: `${at(0x1000, "")}/56`,
    servicePrefix: `${at(0x2000, "")}/112`,
    host: (index) => at(1, String(index)),
  };
}

/**
 * IPv4 for dual-stack labs: the documentation ranges, between the lab's own hosts only. They are fixed, for every lab
 * has a bridge of its own and the machine has no address on it.
 */
export const ipv4Plan = {
  prefix: "192.0.2.0/24",
  gateway: "192.0.2.1",
  virtualIp: `192.0.2.${VIRTUAL_IP}`,
  podPrefix: "203.0.113.0/24",
  servicePrefix: "198.51.100.0/24",
  host: (index: number) => `192.0.2.${index}`,
} as const;

/** The lowest index that no host has: freed ones are used again, running ones never move. */
export function freeIndex(taken: readonly number[]): number {
  let index = FIRST_HOST;
  while (taken.includes(index) || index === VIRTUAL_IP) index += 1;
  return index;
}

/** A locally administered MAC that stays with the host over a power cut, as a real card's does. */
export function macAddress(lab: string, host: string): string {
  const digest = createHash("sha256").update(`${lab}/${host}`).digest("hex");
  const octets = digest.slice(0, 10).match(/../g) ?? [];
  return ["02", ...octets].join(":");
}

const canonical = (address: string): string => new Address6(address).correctForm();
