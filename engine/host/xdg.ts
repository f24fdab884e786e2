import { join } from "node:path";
import { homeFolder } from "./login.ts";

type Environment = Readonly<Record<string, string | undefined>>;

// The rule of XDG: a path that is not absolute is to be ignored.
const xdg = (value: string | undefined, fallback: string): string =>
  value?.startsWith("/") ? value : join(homeFolder(), fallback);

/** Where this user's programs keep what can be made again. */
export const cacheHome = (env: Environment): string => xdg(env["XDG_CACHE_HOME"], ".cache");

/** Where this user's programs keep what must outlive a restart. */
export const stateHome = (env: Environment): string => xdg(env["XDG_STATE_HOME"], ".local/state");
