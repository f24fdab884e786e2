import { labErrors } from "../errors/catalog/lab.ts";
import { isPlaybookError } from "../errors/error.ts";

/**
 * The exit code of what was thrown. A run throws only before it touches a host, and tells everything else in events;
 * so an expected failure is a wrong call, playbook or inventory (2), unless the lab's own work failed (1) or this is not
 * the time for it (4).
 */
export function exitCodeOf(error: unknown): number {
  if (!isPlaybookError(error) || error.code in labErrors) return 1;
  return error.code === "PB_WINDOW_CLOSED" ? 4 : 2;
}
