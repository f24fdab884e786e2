import { cliErrors } from "../errors/catalog/cli.ts";
import { playbookErrors } from "../errors/catalog/playbook.ts";
import { isPlaybookError } from "../errors/error.ts";

/** 2 for what is wrong before a host is touched, 1 for all else. */
export function exitCodeOf(error: unknown): number {
  if (!isPlaybookError(error)) return 1;
  return error.code in playbookErrors || error.code in cliErrors ? 2 : 1;
}
