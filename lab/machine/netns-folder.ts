import { readdir, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sh } from "#engine/host/command.ts";
import { takeLock } from "../state/lock.ts";
import { orMissing } from "./files.ts";
import { attempt, run } from "./run.ts";

const FOLDER = "/run/netns";
const noteFile = (labs: string): string => join(labs, "netns-folder");

/**
 * Adds a lab's own network namespace. The first one on a machine makes /run/netns, a mount of its own, which ip never
 * takes away again: a note says when it was the lab that caused it.
 */
export async function addLabNamespace(labs: string, name: string): Promise<void> {
  await using _lock = await takeLock(join(labs, "machine.lock"), "the machine");
  if ((await orMissing(readdir(FOLDER))) === undefined) await writeFile(noteFile(labs), "");
  await run(sh`ip netns add ${name}`);
}

/** Takes /run/netns away when a lab caused it and no namespace of anybody is in it. */
export async function removeNetnsFolder(labs: string): Promise<void> {
  await using lock = await takeLock(join(labs, "machine.lock"), "the machine");
  const names = (await orMissing(readdir(FOLDER))) ?? [];
  const entries = await readdir(labs);
  if (names.length === 0 && entries.includes("netns-folder")) {
    await attempt(sh`umount ${FOLDER}`);
    await orMissing(rmdir(FOLDER));
    await rm(noteFile(labs));
  }
  await rm(lock.file, { force: true });
}
