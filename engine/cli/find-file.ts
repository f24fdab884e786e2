import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, extname, join, relative, resolve } from "node:path";
import { isInstalled, packageRoot } from "./package-root.ts";

/** Where something was found, or where it was looked for. */
export type Found =
  | { readonly path: string }
  | { readonly path: undefined; readonly looked: readonly string[] };

/** A playbook as given, with .ts, under playbooks/ of the folder, then among those of this package. */
export function findPlaybook(name: string, cwd: string): Found {
  const own = isInstalled ? [] : spellings(join(packageRoot, "playbooks", name));
  const candidates = [
    ...spellings(resolve(cwd, name)),
    ...spellings(resolve(cwd, "playbooks", name)),
    ...own,
    join(packageRoot, "dist", "playbooks", `${basename(name, extname(name))}.js`),
  ];
  const path = candidates.find(isFile);
  if (path !== undefined) return { path };
  const given = spellings(resolve(cwd, name)).map((at) => relative(cwd, at) || at);
  return { path: undefined, looked: [...given, "playbooks/", "the playbooks of run-playbook"] };
}

/** The playbooks that can be named without a path, for completion and for "did you mean". */
export function knownPlaybooks(cwd: string): string[] {
  const folders = [
    join(cwd, "playbooks"),
    isInstalled ? join(packageRoot, "dist", "playbooks") : join(packageRoot, "playbooks"),
  ];
  const files = folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).filter((file) => isPlaybookFile(join(folder, file))));
  return [...new Set(files.map((file) => `${basename(file, extname(file))}.ts`))].sort();
}

// Playbooks share code through files beside them; only what exports a default can be one.
const isPlaybookFile = (path: string): boolean =>
  /(?<!\.d)\.[jt]s$/.test(path) &&
  isFile(path) &&
  /export default|as default/.test(readFileSync(path, "utf8"));

/** Whether a file is there, and is one. */
export const isFile = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

const spellings = (path: string): string[] =>
  /\.[cm]?[jt]s$/.test(path) ? [path] : [path, `${path}.ts`];
