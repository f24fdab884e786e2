import { createInterface } from "node:readline/promises";
import type { UpOptions } from "./up.ts";

/** What the command line gives to `lab up`. */
export interface UpFlags {
  readonly hosts?: string;
  readonly disk?: string;
  readonly dualStack?: boolean;
  readonly bare?: boolean;
  readonly from?: string;
  readonly inventory?: string;
  readonly yes?: boolean;
}

/** Flags as options. Without a terminal nobody can be asked. */
export function upOptions(flags: UpFlags, terminal = process.stdin.isTTY): UpOptions {
  const { hosts, disk, dualStack, bare, from, yes = false } = flags;
  const names = hosts?.split(",").map((name) => name.trim());
  return { hosts: names, disk, dualStack, bare, from, yes, ask: terminal ? ask : undefined };
}

async function ask(packages: readonly string[]): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const reply = await terminal.question(`Install ${packages.join(", ")} with apt-get? [y/N] `);
    return /^y(es)?$/i.test(reply.trim());
  } finally {
    terminal.close();
  }
}
