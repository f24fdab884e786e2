import { labErrors } from "../errors/catalog/lab.ts";
import { isPlaybookError } from "../errors/error.ts";

/**
 * The exit code of what was thrown. A run throws only before it touches a host, and tells everything else in events;
 * so an expected failure is a wrong call, playbook or inventory (2), unless the lab's own work failed (1).
 */
export function exitCodeOf(error: unknown): number {
  return isPlaybookError(error) && !(error.code in labErrors) ? 2 : 1;
}
