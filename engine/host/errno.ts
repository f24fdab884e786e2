/** What the system said, without path and syscall: "no such file or directory". */
export function errnoText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return /^E[A-Z0-9]+: ([^,]+)/.exec(error.message)?.[1] ?? error.message;
}

/** The code of a system error: "ENOENT"; of several attempts (one per address) the first. */
export function errnoCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) return errnoCode(error.errors[0]);
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
