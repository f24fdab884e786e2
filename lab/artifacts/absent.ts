/** The result of a file operation, or undefined where there is no such file; any other failure rejects. */
export async function ifPresent<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (hasCode(error) && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw error;
  }
}

const hasCode = (error: unknown): error is Error & { code: unknown } =>
  error instanceof Error && "code" in error;
