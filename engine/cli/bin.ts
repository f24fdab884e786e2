#!/usr/bin/env node
// Runs first, on whatever Node there is: nothing newer than Node 18 may stand in this file, nor be imported by it
// before the version is known.
import { spawn } from "node:child_process";
import module, { createRequire } from "node:module";

const NEEDED: readonly [number, number] = [24, 12];
const MARK = "RUN_PLAYBOOK_NODE";

hideParams();

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  // Compiled once, started fast ever after.
  module.enableCompileCache?.();
  const { runProcess } = await import("./process.ts");
  await runProcess();
} else {
  runOnNewerNode();
}

// What --param gives may be a secret, and others may read the list of processes.
function hideParams(): void {
  const words = process.argv.slice(2);
  const shown = words.map((word, at) => {
    if (words[at - 1] === "--param") return word.replace(/=.*$/s, "=...");
    return word.startsWith("--param=") ? word.replace(/^(--param=[^=]*)=.*$/s, "$1=...") : word;
  });
  if (shown.join() !== words.join()) process.title = ["run-playbook", ...shown].join(" ");
}

// The npm package `node` brings a Node of its own: a checkout of this repository has it, and any project may.
function runOnNewerNode(): void {
  const newer = findNode();
  // Marked: should that Node be too old as well, it must not look for another.
  if (newer === undefined || process.env[MARK] !== undefined) {
    tooOld();
    return;
  }
  const [, script = "", ...args] = process.argv;
  const child = spawn(newer, [...process.execArgv, script, ...args], {
    stdio: "inherit",
    env: { ...process.env, [MARK]: process.version },
  });
  // The terminal sends Ctrl-C to both; the run decides what it means, and this process outlives it.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", tooOld);
  child.on("exit", (code, signal) => {
    process.exit(code ?? (signal === "SIGINT" ? 130 : 1));
  });
}

function tooOld(): void {
  process.stderr.write(
    `run-playbook needs Node ${NEEDED.join(".")} or newer; this is ${process.version}.\n` +
      "  hint: install it from nodejs.org, or for this project alone: npm install node@24\n",
  );
  process.exitCode = 2;
}

function findNode(): string | undefined {
  for (const from of [() => `${process.cwd()}/package.json`, () => import.meta.url]) {
    try {
      return createRequire(from()).resolve("node/bin/node");
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      // The folder that one stands in may be gone.
      if (!["MODULE_NOT_FOUND", "ERR_PACKAGE_PATH_NOT_EXPORTED", "ENOENT"].includes(code))
        throw error;
    }
  }
  return undefined;
}
