import { stat } from "node:fs/promises";
import { orMissing, readText } from "../machine/files.ts";
import { childrenOf } from "../machine/processes.ts";

/** The nspawn of a keeper once it is in the host's network namespace; before, it still sees the machine's network. */
export async function nspawnOf(keeper: number, machine: string): Promise<number | undefined> {
  const own = (await orMissing(stat(`/run/netns/${machine}`)))?.ino;
  for (const pid of await childrenOf(keeper)) {
    const seen = (await orMissing(stat(`/proc/${pid}/ns/net`)))?.ino;
    if (own !== undefined && seen === own) return pid;
  }
  return undefined;
}

/** The host's init: the process of the keeper's nspawn that is number 1 inside. */
export async function initOf(keeper: number, machine: string): Promise<number | undefined> {
  const nspawn = await nspawnOf(keeper, machine);
  for (const pid of nspawn === undefined ? [] : await childrenOf(nspawn)) {
    const status = (await readText(`/proc/${pid}/status`)) ?? "";
    if (/^NSpid:.*\t1$/m.test(status)) return pid;
  }
  return undefined;
}
