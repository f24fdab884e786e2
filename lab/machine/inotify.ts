import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { takeLock } from "../state/lock.ts";
import { writeWhole } from "../state/state.ts";
import { orMissing, readText } from "./files.ts";

const SYSCTL = "/proc/sys/fs/inotify/max_user_instances";
// A booted host holds 8, its kubelet and containerd about as many again; the machine's own programs come on top.
const PER_HOST = 20;
const MACHINE = 64;

const Raised = z.strictObject({ was: z.int(), now: z.int() });

/** Where the value is and where the labs of this machine note what it was. */
export interface InotifyFiles {
  readonly labs: string;
  readonly sysctl?: string;
  readonly namespaces?: string;
}

/** Raises fs.inotify.max_user_instances when this many hosts more need it; never lowers it. */
export async function raiseInotify(files: InotifyFiles, more: number): Promise<void> {
  await using _lock = await takeLock(join(files.labs, "machine.lock"), "the machine");
  const sysctl = files.sysctl ?? SYSCTL;
  const was = Number(await readText(sysctl));
  const needed = MACHINE + PER_HOST * ((await labHosts(files)) + more);
  if (was >= needed) return;
  const earlier = await readRaised(files);
  const now = Math.ceil(needed / 128) * 128;
  await writeWhole(noteFile(files), JSON.stringify({ was: earlier?.was ?? was, now }));
  await writeFile(sysctl, String(now));
}

/** Puts the old value back when no lab has a host any more and nobody else has changed it since. */
export async function restoreInotify(files: InotifyFiles): Promise<void> {
  await using lock = await takeLock(join(files.labs, "machine.lock"), "the machine");
  if ((await labHosts(files)) > 0) return;
  const raised = await readRaised(files);
  const sysctl = files.sysctl ?? SYSCTL;
  if (raised && Number(await readText(sysctl)) === raised.now)
    await writeFile(sysctl, String(raised.was));
  await rm(noteFile(files), { force: true });
  await rm(lock.file, { force: true });
}

const noteFile = ({ labs }: InotifyFiles): string => join(labs, "inotify.json");

async function readRaised(files: InotifyFiles) {
  const text = await readText(noteFile(files));
  return text === undefined ? undefined : Raised.parse(JSON.parse(text));
}

// Each host of any lab has a namespace named rpl.LAB.HOST.
async function labHosts(files: InotifyFiles): Promise<number> {
  const names = await orMissing(readdir(files.namespaces ?? "/run/netns"));
  return (names ?? []).filter((name) => /^rpl\.[^.]+\.[^.]+$/.test(name)).length;
}
