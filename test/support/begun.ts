import { hostname } from "node:os";
import type { Begun } from "#engine/journal/format.ts";

/** The first entry of a run without steps, whose process is of another boot. */
export const begun = (run: string, by: Partial<Begun["by"]> = {}): Begun => ({
  type: "begun",
  format: 1,
  at: 1,
  run,
  engine: "0.1.0",
  playbook: "test",
  sources: {},
  steps: [],
  inventory: { hosts: {}, groups: {}, settings: {} },
  asked: { playbook: "test.ts", cwd: "/", params: {}, secretParams: [] },
  by: { pid: 1, started: "another boot/1", user: "root", machine: hostname(), ...by },
  owed: [],
  doubts: [],
});
