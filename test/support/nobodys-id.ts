import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Makes an `id` in a folder that says that nobody is root, and gives the PATH with it: what a host keeps for undo then
 * lies under XDG_STATE_HOME, and not in the place of the machine that runs the tests.
 */
export async function nobodysId(folder: string): Promise<string> {
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  await writeFile(
    join(bin, "id"),
    '#!/bin/sh\n[ "$1" = -u ] && echo 65534 || exec /usr/bin/id "$@"\n',
  );
  await chmod(join(bin, "id"), 0o755);
  return `${bin}:${process.env["PATH"]}`;
}
