import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { idOf } from "./filesystem.ts";
import type { FakeHost } from "./host.ts";

/** One run of a program on a fake host. */
export interface FakeCall {
  readonly args: readonly string[];
  readonly stdin: Buffer;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly user: string;
  readonly host: FakeHost;
  /** Aborted when the call is given up. */
  readonly signal: AbortSignal;
}

/** What a program says: its stdout, or all of it. Nothing is exit code 0 and silence. */
export type FakeAnswer =
  | string
  | { readonly code?: number; readonly stdout?: string | Uint8Array; readonly stderr?: string }
  | undefined;

export type FakeProgram = (call: FakeCall) => FakeAnswer | Promise<FakeAnswer>;

/** Programs that every fake host has; a test adds those that its module manages. */
export const basics: Readonly<Record<string, FakeProgram>> = {
  true: () => undefined,
  false: () => ({ code: 1 }),
  echo: ({ args }) => `${args.join(" ")}\n`,
  printf: ({ args: [format = "", ...values] }) => {
    let next = 0;
    return format.replaceAll("\\n", "\n").replace(/%[sd]/g, () => values[next++] ?? "");
  },
  pwd: ({ cwd }) => `${cwd}\n`,
  env: ({ env }) =>
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  id: ({ args: [flag], user }) =>
    flag === "-un"
      ? `${user}\n`
      : flag === undefined
        ? `uid=${idOf(user)}(${user})\n`
        : `${idOf(user)}\n`,
  sleep: async ({ args, signal }) => {
    await sleep(Number(args[0]) * 1000, undefined, { signal });
    return undefined;
  },
  cat: ({ args, stdin, host, user }) => {
    const paths = args.filter((arg) => arg !== "--");
    if (paths.length === 0) return { stdout: stdin };
    return {
      stdout: Buffer.concat(paths.map((path) => host.files.read(path, user) ?? missing(path))),
    };
  },
  head: ({ args: [, count = "0"], stdin }) => ({ stdout: stdin.subarray(0, Number(count)) }),
  sha256sum: ({ args, stdin, host, user }) => {
    const path = args.findLast((arg) => arg !== "--");
    const content = path === undefined ? stdin : (host.files.read(path, user) ?? missing(path));
    return `${createHash("sha256").update(content).digest("hex")}  ${path ?? "-"}\n`;
  },
  mkdir: ({ args, host }) => {
    for (const path of operands(args)) host.files.mkdir(path);
    return undefined;
  },
  rm: ({ args, host }) => {
    for (const path of operands(args)) host.files.remove(path);
    return undefined;
  },
  rmdir: ({ args, host }) => {
    for (const path of operands(args)) {
      if (host.files.stat(path)?.kind !== "directory") missing(path);
      if (host.files.list(path).length > 0) throw new FakeFailure(`${path}: Directory not empty`);
      host.files.remove(path);
    }
    return undefined;
  },
  ln: ({ args, host }) => {
    const [target = "", path = ""] = operands(args);
    host.files.symlink(path, target);
    return undefined;
  },
  chmod: ({ args, host }) => {
    const [mode = "0", ...paths] = operands(args);
    for (const path of paths) host.files.chmod(path, Number.parseInt(mode, 8));
    return undefined;
  },
  chown: ({ args, host }) => {
    const [who = "", ...paths] = operands(args);
    const [owner = "root", group = owner] = who.split(":");
    for (const path of paths) host.files.chown(path, owner, group);
    return undefined;
  },
};

const operands = (args: readonly string[]): string[] => args.filter((arg) => !arg.startsWith("-"));

/** A program's own way to fail on a path: on stderr, with exit code 1. */
export class FakeFailure extends Error {}

function missing(path: string): never {
  throw new FakeFailure(`${path}: No such file or directory`);
}
