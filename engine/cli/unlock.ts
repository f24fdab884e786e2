import pc from "picocolors";
import { CONTROL } from "../dsl/host-set.ts";
import type { Inventory } from "../dsl/inventory.ts";
import { PlaybookError } from "../errors/error.ts";
import { describeOwner } from "../lock/owner.ts";
import { type FoundLock, findLock, freeLock } from "../lock/unlock.ts";
import { readSecretsIn } from "../plan/secrets.ts";
import { describeError, printError } from "../report/print.ts";
import { oneLine } from "../report/text.ts";
import { Connections } from "../run/connections.ts";
import { controlMachine } from "../run/control-machine.ts";
import { askSecret, confirm } from "./ask.ts";
import { wantsColor } from "./color.ts";
import type { Io } from "./io.ts";
import type { CliOptions } from "./options.ts";
import { inventoryFor } from "./run-playbook.ts";
import { transports } from "./transports.ts";

/** `run-playbook unlock HOST…`: says who holds each host, asks, and frees them; 1 where that failed on one. */
export async function unlock(
  given: readonly string[],
  options: CliOptions,
  io: Io,
): Promise<number> {
  const hosts = [...new Set(given)];
  const connections = await connectionsTo(hosts, await inventoryFor(undefined, options, io), io);
  try {
    const found = await Promise.allSettled(hosts.map((host) => look(host, connections)));
    const locked = found.flatMap((look) => (look.status === "fulfilled" ? look.value : []));
    for (const [index, host] of hosts.entries())
      if (found[index]?.status === "fulfilled") io.stdout.write(`${stateOf(host, locked)}\n`);
    const lost = tellFailures(found, options, io);
    if (locked.length > 0) await confirm(question(locked), io, options.yes === true);
    const freed = await Promise.allSettled(locked.map((lock) => free(lock, connections)));
    for (const [index, { host }] of locked.entries())
      if (freed[index]?.status === "fulfilled") io.stdout.write(`${oneLine(host)} is free\n`);
    return lost + tellFailures(freed, options, io) === 0 ? 0 : 1;
  } finally {
    await connections.close();
  }
}

/** Prints what went wrong; gives back on how many hosts it did. */
function tellFailures(
  settled: readonly PromiseSettledResult<unknown>[],
  { color }: CliOptions,
  { env, stderr }: Io,
): number {
  const colors = pc.createColors(wantsColor(color, env, stderr));
  const failed = settled.filter(({ status }) => status === "rejected");
  for (const { reason } of failed as PromiseRejectedResult[])
    stderr.write(`${printError(describeError(reason), colors)}\n`);
  return failed.length;
}

interface LockedHost {
  readonly host: string;
  readonly lock: FoundLock;
}

/** The host's lock, or nothing where nobody holds it. */
async function look(host: string, connections: Connections): Promise<LockedHost[]> {
  const lock = await findLock(await connections.to(host));
  return lock === undefined ? [] : [{ host, lock }];
}

const free = async ({ host, lock }: LockedHost, connections: Connections): Promise<void> =>
  freeLock(host, await connections.to(host), lock);

function stateOf(host: string, locked: readonly LockedHost[]): string {
  const found = locked.find((each) => each.host === host);
  const state = found === undefined ? "not locked" : `locked by ${describeOwner(found.lock.owner)}`;
  return oneLine(`${host} is ${state}`);
}

const question = (locked: readonly LockedHost[]): string =>
  `Free ${locked.map(({ host }) => host).join(", ")}? A run that still works there will begin nothing more on it.`;

async function connectionsTo(
  names: readonly string[],
  { hosts }: Inventory,
  io: Io,
): Promise<Connections> {
  const unknown = names.find((name) => name !== CONTROL && !Object.hasOwn(hosts, name));
  if (unknown !== undefined)
    throw new PlaybookError("PB_UNKNOWN_HOST", [unknown, Object.keys(hosts)]);
  const secrets = await readSecretsIn(
    names.map((name) => hosts[name]?.sudoPassword),
    controlMachine((asked) => askSecret(asked, io)),
  );
  return new Connections({ inventory: hosts, secrets, transports });
}
