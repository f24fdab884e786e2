import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

// Test files run side by side on one control machine: each keeps its locks to itself.
const folder = mkdtempSync(join(tmpdir(), "run-playbook-run-"));
process.env["RUN_PLAYBOOK_RUN_DIR"] = folder;
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
