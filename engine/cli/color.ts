import type { Io } from "./io.ts";

/** Whether to colour what goes to a stream: the option, then the environment, then whether it is a terminal. */
export function wantsColor(
  option: boolean | undefined,
  env: Io["env"],
  stream: { readonly isTTY?: boolean },
): boolean {
  if (option !== undefined) return option;
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  if (env["FORCE_COLOR"] !== undefined) return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}
