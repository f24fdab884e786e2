import { isPlaybookError } from "../errors/error.ts";

/** A module that threw what no module should: a mistake in its code, not in the playbook or on the host. */
export class ModuleFault extends Error {
  constructor(module: string, part: string, cause: unknown) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`The module ${module} broke in ${part}: ${why}`, { cause });
    this.name = "ModuleFault";
  }
}

/** Calls code of a module, so that what it throws by mistake names the module. */
export async function inModule<T>(
  module: string,
  part: string,
  call: () => T | Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isPlaybookError(error) || error instanceof ModuleFault) throw error;
    throw new ModuleFault(module, part, error);
  }
}
