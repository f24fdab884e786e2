import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package: two levels above the sources, three above what was compiled from them. */
export const packageRoot: string = above(dirname(fileURLToPath(import.meta.url)));

/** Whether this copy was installed, as opposed to a checkout: Node runs no TypeScript under node_modules. */
export const isInstalled: boolean = packageRoot.includes(`${sep}node_modules${sep}`);

function above(folder: string): string {
  if (existsSync(join(folder, "package.json")) || dirname(folder) === folder) return folder;
  return above(dirname(folder));
}
