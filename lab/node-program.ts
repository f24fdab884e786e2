import { fileURLToPath } from "node:url";

/**
 * Argv that runs a module of ours as a program of its own. From a checkout that is the TypeScript source, with the
 * condition that makes #-imports find sources; from the published package the compiled file.
 */
export function nodeProgram(moduleUrl: URL): [string, ...string[]] {
  const source = import.meta.filename.endsWith(".ts");
  const file = fileURLToPath(moduleUrl);
  return source
    ? [process.execPath, "--conditions=@run-playbook/source", file]
    : [process.execPath, file.replace(/\.ts$/, ".js")];
}
