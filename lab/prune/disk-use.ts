import { sh } from "#engine/host/command.ts";
import { run } from "../machine/run.ts";

/** Bytes on disk below each path; what two of them share counts once. */
export async function diskUse(paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (paths.length === 0) return new Map();
  const printed = await run(sh`du -s --block-size=1 -- ${paths}`);
  return new Map(
    Array.from(printed.matchAll(/^(\d+)\t(.*)$/gm), ([, bytes, path = ""]) => [
      path,
      Number(bytes),
    ]),
  );
}
