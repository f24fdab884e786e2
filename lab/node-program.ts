import { fileURLToPath } from "node:url";

const isSource = import.meta.filename.endsWith(".ts");

/** The file of a module of ours: TypeScript in a checkout, compiled in the published package. */
export function moduleFile(moduleUrl: URL): string {
  const file = fileURLToPath(moduleUrl);
  return isSource ? file : file.replace(/\.ts$/, ".js");
}

/**
 * Argv that runs a module of ours as a program of its own. From a checkout it gets the condition that makes #-imports
 * find sources.
 */
export function nodeProgram(moduleUrl: URL): [string, ...string[]] {
  const conditions = isSource ? ["--conditions=@run-playbook/source"] : [];
  return [process.execPath, ...conditions, moduleFile(moduleUrl)];
}
