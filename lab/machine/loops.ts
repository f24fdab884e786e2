import { readdir } from "node:fs/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import { readText } from "./files.ts";
import { until } from "./until.ts";

/**
 * Waits until no loop device stands on a disk image. The kernel gives a dead host's mounts up a moment after its last
 * process, and the same image mounted twice would be destroyed.
 */
export async function waitUnused(image: string): Promise<void> {
  const seconds = 15;
  const unused = async () => ((await loopOn(image)) ? undefined : true);
  if (await until(unused, { seconds, every: 20 })) return;
  const loop = await loopOn(image);
  throw new PlaybookError("PB_LAB_LEFTOVER", [`/dev/${loop} on ${image}`, seconds]);
}

async function loopOn(image: string): Promise<string | undefined> {
  const loops = (await readdir("/sys/block")).filter((name) => name.startsWith("loop"));
  for (const loop of loops) {
    const file = await readText(`/sys/block/${loop}/loop/backing_file`);
    if (file?.replace(/ \(deleted\)$/, "") === image) return loop;
  }
  return undefined;
}
