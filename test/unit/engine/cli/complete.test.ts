import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { cli } from "../../../support/cli.ts";
import { folder } from "../../../support/program.ts";

// Each starts the real command line, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const playbook = `import { defineInventory, defineModule, playbook } from "run-playbook";
import { z } from "zod";
const inventory = defineInventory({
  hosts: { cp1: { address: "2001:db8::1" }, w1: { address: "2001:db8::2" } },
  groups: { workers: ["w1"] },
});
const params = z.object({ version: z.string().default("v1") });
const nothing = defineModule({ name: "n", summary: "", params: z.object({}), read: async () => ({}), *diff() {} });
export default playbook("mine", { inventory, params }, ({ step, groups }) => {
  step("first snapshot", { on: groups.workers, ensure: nothing({}) });
});
`;

async function completions(...words: string[]): Promise<string[]> {
  await using here = await folder({
    "mine.ts": playbook,
    "broken.ts": "throw 1;",
    "inventory/hosts.ts": `import { defineInventory } from "run-playbook";
export default defineInventory({ hosts: { cp1: { address: "::1" }, w1: { address: "::2" } }, groups: {} });`,
    "plan.json": "{}",
    "playbooks/up.ts": playbook,
    "playbooks/shared.ts": "export const x = 1;",
  });
  const { stdout, stderr } = await cli(["__complete", ...words], { cwd: here.path });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

test("a first word is a command or a playbook", async () => {
  const words = await completions("");
  expect(words).toEqual(expect.arrayContaining(["lab", "completion", "mine.ts", "up.ts"]));
  expect(words).not.toContain("shared.ts");
  expect(await completions("mi")).toEqual(["mine.ts"]);
});

test("options, and the values that they take", async () => {
  expect(await completions("mine.ts", "--ch")).toEqual(["--check"]);
  expect(await completions("mine.ts", "--output", "j")).toEqual(["json"]);
  expect(await completions("mine.ts", "--plan")).toEqual(["--plan-out", "--plan-key"]);
  expect(await completions("--apply-plan", "")).toEqual(["plan.json"]);
  expect(await completions("mine.ts", "--param", "")).toEqual(["version="]);
  expect(await completions("mine.ts", "--limit", "")).toEqual(["workers", "cp1", "w1"]);
  expect(await completions("mine.ts", "--only", "")).toEqual(["first snapshot"]);
  expect(await completions("mine.ts", "--limit", "cp1,w")).toEqual(["cp1,workers", "cp1,w1"]);
});

test("runs by their names, and what their commands take", async () => {
  expect(await completions("resu")).toEqual(["resume"]);
  expect(await completions("resume", "--y")).toEqual(["--yes"]);
  expect(await completions("runs", "--")).toEqual(["--all", "--output"]);
  const run = "2026-11-26-220159-k3f9";
  await mkdir(join(process.env["XDG_STATE_HOME"] ?? "", "run-playbook/runs", run), {
    recursive: true,
  });
  expect(await completions("resume", "")).toEqual(["last", run]);
  expect(await completions("show", "2026")).toEqual([run]);
});

test("commands of the lab, and shells", async () => {
  expect(await completions("lab", "s")).toEqual(expect.arrayContaining(["status", "ssh"]));
  expect(await completions("completion", "f")).toEqual(["fish"]);
});

test("a playbook that does not load completes nothing, and says nothing", async () => {
  expect(await completions("broken.ts", "--limit", "")).toEqual([]);
});

test("unlock takes the hosts of the inventory, each once", async () => {
  expect(await completions("unlock", "")).toEqual(["cp1", "w1"]);
  expect(await completions("unlock", "w1", "")).toEqual(["cp1"]);
  expect(await completions("unlock", "--i")).toEqual(["--inventory"]);
});
