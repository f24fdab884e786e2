import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

// Tests start the real command line, and its journals are not this user's runs.
const state = mkdtempSync(join(tmpdir(), "run-playbook-state-"));
process.env["XDG_STATE_HOME"] = state;
afterAll(() => rmSync(state, { recursive: true, force: true }));
