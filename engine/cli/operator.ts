import { hostname } from "node:os";
import { loginName } from "../host/login.ts";
import type { RunOptions } from "../run/options.ts";

/** Who called, as other operators would know them: the user that sudo was called by, where it was. */
export function operator({
  SUDO_USER: sudoUser,
}: NodeJS.ProcessEnv): NonNullable<RunOptions["operator"]> {
  return { user: sudoUser ?? loginName(), machine: hostname() };
}
