#!/usr/bin/env node
// Runs first, on whatever Node there is: nothing newer than Node 18 may stand in this file, nor be imported by it
// before the version is known.
import { spawnSync } from "node:child_process";
import module, { createRequire } from "node:module";

const NEEDED: readonly [number, number] = [24, 12];

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  // Compiled once, started fast ever after.
  module.enableCompileCache?.();
  const { runProcess } = await import("./process.ts");
  await runProcess();
} else {
  process.exitCode = runOnNewerNode();
}

// The npm package `node` brings a Node of its own: a checkout of this repository has it, and any project may.
function runOnNewerNode(): number {
  const newer = findNode();
  if (newer === undefined || process.env["RUN_PLAYBOOK_NODE"] !== undefined) {
    process.stderr.write(
      `run-playbook needs Node ${NEEDED.join(".")} or newer; this is ${process.version}.\n` +
        "  hint: install it from nodejs.org, or for this project alone: npm install node@24\n",
    );
    return 2;
  }
  const [, script = "", ...args] = process.argv;
  const { status, signal } = spawnSync(newer, [...process.execArgv, script, ...args], {
    stdio: "inherit",
    // Should that Node be too old as well, it must not look for another.
    env: { ...process.env, RUN_PLAYBOOK_NODE: process.version },
  });
  return status ?? (signal === "SIGINT" ? 130 : 1);
}

function findNode(): string | undefined {
  for (const from of [`${process.cwd()}/package.json`, import.meta.url]) {
    try {
      return createRequire(from).resolve("node/bin/node");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "MODULE_NOT_FOUND" && code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw error;
    }
  }
  return undefined;
}
