import { existsSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package: two levels above the sources, three above what was compiled from them. */
export const packageRoot: string = above(dirname(fileURLToPath(import.meta.url)));

/** Whether this copy was installed, as opposed to a checkout: Node runs no TypeScript under node_modules. */
export const isInstalled: boolean = packageRoot.includes(`${sep}node_modules${sep}`);

/** The version of this package. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}

function above(folder: string): string {
  if (existsSync(join(folder, "package.json")) || dirname(folder) === folder) return folder;
  return above(dirname(folder));
}
