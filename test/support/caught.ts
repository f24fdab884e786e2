import { isPlaybookError, type PlaybookError } from "#engine/errors/error.ts";

/** The PlaybookError that a call throws; any other end fails the test. */
export function caught(call: () => unknown): PlaybookError {
  try {
    call();
  } catch (error) {
    if (isPlaybookError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
