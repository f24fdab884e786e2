import { execFile } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { root } from "../../support/cli.ts";

// A block that imports is a file as a reader would write it; README's import its inventory as ./inventory/site.ts.
const blocks = (path: string): string[] =>
  Array.from(readFileSync(path, "utf8").matchAll(/^```ts\n(.*?)^```/gms), ([, code = ""]) => code);

test("every TypeScript example of the docs that imports something compiles", async () => {
  // Inside the repository, so that "run-playbook" is this very package, as it is for its own playbooks.
  mkdirSync(join(root, "coverage"), { recursive: true });
  const folder = mkdtempSync(join(root, "coverage/examples-"));
  try {
    mkdirSync(join(folder, "inventory"));
    let written = 0;
    for (const path of ["README.md", ...globSync("docs/*.md", { cwd: root })])
      for (const code of blocks(join(root, path)).filter((text) => text.includes("import "))) {
        const name = code.includes("export const site") ? "inventory/site.ts" : `e${written}.ts`;
        writeFileSync(join(folder, name), code);
        written += 1;
      }
    expect(written).toBeGreaterThan(3);
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", include: ["**/*.ts"], exclude: [] }),
    );
    const compiler = join(root, "node_modules/.bin/tsc");
    const { stdout } = await promisify(execFile)(compiler, ["--noEmit", "-p", folder]).catch(
      (failed: { stdout: string }) => failed,
    );
    expect(stdout).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
