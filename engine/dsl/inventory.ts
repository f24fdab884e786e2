import { PlaybookError } from "../errors/error.ts";
import type { Ref } from "./ref.ts";
import type { Secret } from "./secret.ts";

/** One host: how to reach it, and what playbooks want to know of it. */
export interface HostEntry {
  /** An IPv6 literal (bare, `[addr]`, with zone), an IPv4 literal, or a name for ssh_config and DNS. */
  readonly address: string;
  /** 22, or what ssh_config says, unless given. */
  readonly port?: number;
  /** What ssh_config says, else the user who runs this, unless given. */
  readonly user?: string;
  /** A path; the agent and the default identities are tried where it is not given. */
  readonly identityFile?: string;
  /** A path in place of ~/.ssh/known_hosts. */
  readonly knownHostsFile?: string;
  /** "strict" unless given: a host key that known_hosts lacks is refused. */
  readonly hostKeys?: "strict" | "accept-new";
  /** For sudo that asks. */
  readonly sudoPassword?: Ref<Secret>;
  /** Through which host to go, as in ssh -J. */
  readonly jump?: string;
  /** Facts about this host that the playbook's `hostSettings` schema describes. */
  readonly settings?: unknown;
}

export interface Inventory<G extends string = string> {
  readonly kind: "inventory";
  readonly hosts: Readonly<Record<string, HostEntry>>;
  readonly groups: Readonly<Record<G, readonly string[]>>;
  /** What the playbook's `settings` schema describes: one cluster, one site. */
  readonly settings: unknown;
}

/**
 * Declares hosts and groups. Members must be hosts; groups autocomplete in playbooks.
 *
 * @example
 * defineInventory({
 *   hosts: { cp1: { address: "2001:db8:1::11" }, w1: { address: "2001:db8:1::21" } },
 *   groups: { controlPlane: ["cp1"], workers: ["w1"] },
 * });
 */
export const defineInventory = <
  const H extends Record<string, HostEntry>,
  const G extends Record<string, readonly (keyof H & string)[]>,
>(inventory: {
  readonly hosts: H;
  readonly groups: G;
  /** Applied to every host that does not say otherwise. */
  readonly defaults?: Partial<HostEntry>;
  readonly settings?: unknown;
}): Inventory<keyof G & string> => {
  const unknown = Object.keys(inventory).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined)
    throw new PlaybookError("PB_INVENTORY_INVALID", [unknown, "an inventory has no such field"]);
  return {
    kind: "inventory",
    hosts: Object.fromEntries(
      Object.entries(inventory.hosts).map(([name, host]) => [
        name,
        { ...inventory.defaults, ...host },
      ]),
    ),
    groups: inventory.groups,
    settings: inventory.settings ?? {},
  };
};

const FIELDS = ["hosts", "groups", "defaults", "settings"];
