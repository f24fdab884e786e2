import { execFileSync } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { bin, root } from "./cli.ts";

const SOURCES = [
  "{engine,modules,lab,playbooks,bundle}/**/*.{ts,hbs}",
  "{inventory/example,rolldown.config}.ts",
  "{package*,tsconfig*}.json",
];

/** Before the tests: what they start is the package as it is shipped, built from what is here. */
export function setup(): void {
  const built = statSync(bin, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newer = globSync(SOURCES, { cwd: root }).find(
    (file) => statSync(join(root, file)).mtimeMs > built,
  );
  if (newer === undefined) return;
  execFileSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: "inherit" });
}
