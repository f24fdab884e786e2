import { registerHooks } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { packageRoot } from "./package-root.ts";

const ours = /^(run-playbook|zod)(\/|$)/;
let registered = false;
const loaded = new Set<string>();
const notUsers = ["engine", "modules", "lab", "dist"].map((folder) =>
  join(packageRoot, folder, "/"),
);

/** The user's files that were imported so far, by absolute path: playbooks, inventories, and what they share. */
export const userFiles = (): string[] => Array.from(loaded).sort();

function note(url: string): void {
  if (!url.startsWith("file:") || url.includes("/node_modules/")) return;
  const path = fileURLToPath(url);
  if (!notUsers.some((folder) => path.startsWith(folder))) loaded.add(path);
}

/**
 * Lets a playbook anywhere import `run-playbook` (and `zod`, for its params): from its own node_modules when it is
 * there, else from this very copy, which npx may have put where the playbook cannot see it.
 */
export function resolveOwnPackage(): void {
  if (registered) return;
  registered = true;
  const here = pathToFileURL(join(packageRoot, "package.json")).href;
  registerHooks({
    resolve(specifier, context, next) {
      try {
        const found = asModule(next(specifier, context));
        note(found.url);
        return found;
      } catch (error) {
        if (!ours.test(specifier) || codeOf(error) !== "ERR_MODULE_NOT_FOUND") throw error;
        return next(specifier, { ...context, parentURL: here });
      }
    },
  });
}

// `npm init` writes "type": "commonjs", and a folder without package.json says nothing: a playbook is a module anyway.
const asModule = <R extends { url: string; format?: string | null | undefined }>(found: R): R =>
  /^file:.*\.ts$/.test(found.url) && !found.url.includes("/node_modules/")
    ? { ...found, format: "module-typescript" }
    : found;

const codeOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
