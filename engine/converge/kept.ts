import { createHash } from "node:crypto";
import { PlaybookError } from "../errors/error.ts";
import { script, withStdin } from "../host/command.ts";
import type { Host } from "../host/host.ts";
import { lastLines } from "./command-failure.ts";
import { withEnv } from "./host.ts";
import { FIND, KEEP } from "./kept-script.ts";
import { fromText, toText } from "./kept-text.ts";
import { callOptions, type Manner, type Reached } from "./reached.ts";

/** How many runs a host remembers, and how much it may remember of one, in KiB. */
const RUNS = 10;
const RUN_KIB = 64 * 1024;
/** What is larger is not kept, in bytes. */
const MOST = 8 * 1024 * 1024;

/** Whose record it is. */
export interface KeptName {
  readonly run: string;
  readonly step: string;
  readonly host: string;
}

/** What is kept of one node: what its first read found, and what was wanted. */
export interface Kept {
  readonly module: string;
  readonly before: unknown;
  readonly want: Record<string, unknown>;
}

/** By what a record is known again; or why there is none. */
export type Keeping = { readonly sha256: string } | { readonly unkept: string };

/**
 * Keeps a record on the host itself, readable to nobody but who acts there; on the disk once this resolves. A host that
 * has no room for it is no reason to leave it as it is: then there is no record, and why.
 */
export async function keepBefore(
  { on, manner }: { readonly on: Reached; readonly manner: Manner },
  name: KeptName,
  { module, before, want }: Kept,
): Promise<Keeping> {
  const { run, step, host } = name;
  const text = toText({ step, host, module, before, want });
  const size = Buffer.byteLength(text);
  if (size > MOST) return { unkept: `it takes ${Math.ceil(size / 1024)} KiB` };
  const keep = withStdin(script(KEEP, run, fileOf(name), RUNS, RUN_KIB), text);
  const { code, stderr } = await on.connection.run(withEnv(keep, manner), callOptions(manner));
  if (code === 0) return { sha256: sha256(text) };
  return { unkept: lastLines(stderr).at(-1) ?? `sh exited ${code}` };
}

/** Reads a record again. @throws PB_UNDO_FORGOTTEN, PB_UNDO_TAMPERED */
export async function findBefore(host: Host, name: KeptName, wanted: string): Promise<Kept> {
  const { run, step } = name;
  const { code, stdout } = await host.run(script(FIND, run, fileOf(name)));
  if (code !== 0)
    throw new PlaybookError("PB_UNDO_FORGOTTEN", [host.name, step, `no record of ${run} is there`]);
  if (sha256(stdout) !== wanted)
    throw new PlaybookError("PB_UNDO_TAMPERED", [host.name, step, run]);
  return fromText(stdout) as Kept;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

// Labels may hold anything; a name of a file may not.
const fileOf = ({ step, host }: KeptName) => `${sha256(`${step}\0${host}`).slice(0, 32)}.json`;
