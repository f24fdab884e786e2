import { readFile } from "node:fs/promises";

// The kernel's file systems have words of their own for a process (ESRCH) or a control group (ENODEV) that is gone.
const MISSING: readonly unknown[] = ["ENOENT", "ESRCH", "ENODEV"];

/** True for the error of a file, folder, process or control group that is not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && MISSING.includes(error.code);

/** The value, or undefined when the thing is not there; any other failure goes on. */
export async function orMissing<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A small text file without its last newline, or undefined when it is not there. */
export async function readText(file: string): Promise<string | undefined> {
  return (await orMissing(readFile(file, "utf8")))?.trimEnd();
}
