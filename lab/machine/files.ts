import { readFile } from "node:fs/promises";

/** True for the error of a file, folder or process that is not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH");

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
