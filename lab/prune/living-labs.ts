import { readdir, stat } from "node:fs/promises";
import { orMissing } from "../machine/files.ts";
import { labPaths } from "../state/paths.ts";
import { readState } from "../state/state.ts";

/** The labs of this user that are there, and what of the cache they hold. */
export interface LivingLabs {
  readonly names: readonly string[];
  /** Debian roots that their hosts stand on. */
  readonly bases: ReadonlySet<string>;
  /** What was used since then, in ms since 1970, may be served to one of them. */
  readonly since: number;
}

/** Labs with a state, up or not. @throws PB_LAB_STATE, for what cannot be read may need anything */
export async function livingLabs(env: NodeJS.ProcessEnv = process.env): Promise<LivingLabs> {
  const found = (await orMissing(readdir(labPaths("", env).labs, { withFileTypes: true }))) ?? [];
  const names: string[] = [];
  const bases = new Set<string>();
  let since = Number.POSITIVE_INFINITY;
  for (const { name } of found.filter((item) => item.isDirectory())) {
    const paths = labPaths(name, env);
    const state = await readState(paths.state);
    if (state === undefined) continue;
    names.push(name);
    bases.add(state.base);
    // Its key is made once, before anything is taken from the cache for it.
    const key = await orMissing(stat(paths.identity));
    since = Math.min(since, key?.mtimeMs ?? Date.now());
  }
  return { names, bases, since };
}
