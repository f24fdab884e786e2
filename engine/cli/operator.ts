import { hostname, userInfo } from "node:os";
import type { RunOptions } from "../run/options.ts";

/** Who called, as other operators would know them: the user that sudo was called by, where it was. */
export function operator({
  SUDO_USER: sudoUser,
}: NodeJS.ProcessEnv): NonNullable<RunOptions["operator"]> {
  return { user: sudoUser ?? loginName(), machine: hostname() };
}

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have a number and no name.
    return `uid ${process.getuid?.() ?? "?"}`;
  }
}
