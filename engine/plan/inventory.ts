import { z } from "zod";
import { CONTROL } from "../dsl/host-set.ts";
import type { HostEntry, Inventory } from "../dsl/inventory.ts";
import type { Playbook } from "../dsl/playbook.ts";
import { isRef } from "../dsl/ref.ts";
import { isSecret } from "../dsl/secret.ts";
import type { PlayHost } from "../dsl/step.ts";
import { isPlaybookError, PlaybookError } from "../errors/error.ts";
import { HostAddr } from "../net/host-addr.ts";
import { canonicalIp } from "../net/ip.ts";
import { describeIssues } from "./issues.ts";

const Path = z.string().regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, "expected a path");
const Entry = z.strictObject({
  address: z.string().min(1, "expected an address or a name"),
  port: z.int().min(1).max(65_535).optional(),
  user: z
    .string()
    .regex(/^[^-\s\p{C}][^\s\p{C}]*$/u, "expected a user name")
    .optional(),
  identityFile: Path.optional(),
  knownHostsFile: Path.optional(),
  jump: z
    .string()
    .regex(/^[^-\s\p{C}][^\s\p{C}]*$/u, "expected [user@]host[:port]")
    .optional(),
  hostKeys: z.enum(["strict", "accept-new"]).optional(),
  sudoPassword: z
    .custom((value) => isRef(value) || isSecret(value), "expected a secret, as secretFrom.env(…)")
    .optional(),
  settings: z.unknown().optional(),
});

// Names go into file names on this machine, into nodes' names and into every line that is printed.
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,252}$/u;

/** An inventory that fits a playbook, its settings parsed. */
export interface CheckedInventory {
  readonly hosts: readonly PlayHost[];
  readonly settings: unknown;
  /** The control machine, which no inventory lists. */
  readonly control: PlayHost;
}

/** Checks an inventory against what a playbook needs of it. @throws PB_INVENTORY_INVALID, PB_UNKNOWN_GROUP */
export function checkInventory(playbook: Playbook, inventory: Inventory): CheckedInventory {
  const { options } = playbook;
  checkHosts(inventory);
  checkGroups(playbook, inventory);
  const hostSettings = options.hostSettings ?? z.unknown();
  return {
    hosts: Object.entries(inventory.hosts).map(([name, entry]) => {
      const given = options.hostSettings === undefined ? entry.settings : (entry.settings ?? {});
      return { ...entry, name, settings: parse(hostSettings, given, `hosts.${name}.settings`) };
    }),
    settings: parse(options.settings ?? z.unknown(), inventory.settings, "settings"),
    control: {
      name: CONTROL,
      address: CONTROL,
      // The control machine has no entry of its own: it gets the schema's defaults where those suffice.
      settings: hostSettings.safeParse({}).data ?? {},
    },
  };
}

function checkHosts({ hosts }: Inventory): void {
  const named = new Map<string, string>();
  for (const [name, entry] of Object.entries(hosts)) {
    if (!NAME.test(name))
      throw invalid(`host ${name}`, "a name has letters, digits, dots and hyphens");
    const parsed = Entry.safeParse(entry);
    if (!parsed.success)
      throw invalid(`host ${name}`, describeIssues(parsed.error, entry, `hosts.${name}`));
    if (name === CONTROL)
      throw invalid(`host ${name}`, "this name stands for the control machine itself");
    checkJump(name, entry, hosts);
    const place = placeOf(name, entry);
    const other = named.get(place);
    if (other !== undefined)
      throw invalid(`host ${name}`, `it is the same host as ${other}: both are at ${place}`);
    named.set(place, name);
  }
}

/** What two spellings of one address have in common: who is behind it is known only by its port and its jump host. */
function placeOf(name: string, { address, port, jump }: HostEntry): string {
  try {
    const parsed = HostAddr.parse(address);
    const at = HostAddr.parse(canonicalIp(parsed.ssh())).hostPort(port ?? parsed.port);
    return jump === undefined ? at : `${at} behind ${jump}`;
  } catch (error) {
    throw isPlaybookError(error) ? error.with({ host: name }) : error;
  }
}

function checkJump(name: string, entry: HostEntry, hosts: Inventory["hosts"]): void {
  const path = [name];
  for (let next = entry.jump; next !== undefined; next = hosts[next]?.jump) {
    if (path.includes(next))
      throw invalid(
        `host ${name}`,
        `it is reached through itself (${[...path, next].join(" → ")})`,
      );
    path.push(next);
  }
}

function checkGroups({ options, at }: Playbook, { groups, hosts }: Inventory): void {
  const needed = options.groups ?? Object.keys(options.inventory?.groups ?? {});
  for (const group of needed)
    if (!Object.hasOwn(groups, group))
      throw new PlaybookError("PB_UNKNOWN_GROUP", [group, Object.keys(groups)], { at });
  for (const [group, members] of Object.entries(groups))
    for (const member of members)
      if (!Object.hasOwn(hosts, member))
        throw invalid(`group ${group}`, `its member "${member}" is no host`);
}

function parse(schema: z.ZodType, value: unknown, where: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(where, describeIssues(parsed.error, value, where));
}

const invalid = (where: string, why: string) =>
  new PlaybookError("PB_INVENTORY_INVALID", [where, why]);
