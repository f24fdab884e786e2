import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test, vi } from "vitest";
import { bin, cli, play } from "../../../support/cli.ts";
import { folder } from "../../../support/program.ts";

// Each starts the real command line, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

// On the control machine and as whoever runs the tests, so that no host is needed.
const playbook = `import { userInfo } from "node:os";
import { defineInventory, defineModule, playbook, run, script, writeFile } from "run-playbook";
import { z } from "zod";

const note = defineModule({
  name: "note",
  summary: "Keep a note.",
  params: z.strictObject({ path: z.string(), text: z.string() }),
  async read(host, want) {
    return { now: await host.readFile(want.path) };
  },
  *diff(now, want) {
    if (now.now === want.text) return;
    if (want.text === "broken") yield run(script("echo no >&2; exit 7"), "break");
    if (want.text === "slow") yield run(script("sleep 1"), "sleep");
    yield writeFile(want.path, want.text, { was: now.now, owner: userInfo().username });
  },
});

export default playbook(
  "note",
  {
    inventory: defineInventory({ hosts: {}, groups: {} }),
    params: z.object({ text: z.string().default("hello"), ask: z.boolean().default(false) }),
    confirm: ({ params }) => (params.ask ? "Write " + params.text + "?" : undefined as never),
  },
  ({ step, control, params }) => {
    const path = import.meta.dirname + "/note.txt";
    const first = step("note", { on: control, as: userInfo().username, ensure: note({ path, text: params.text }) });
    step("copy", { on: control, as: userInfo().username, after: [first], ensure: note({ path: path + ".copy", text: params.text }) });
  },
);
`;

test("the exit code says how it ended: 3 pending, 0 converged, 1 failed, 2 not even begun", async () => {
  await using here = await folder({ "note.ts": playbook });
  const { path: cwd } = here;
  expect(await play(["note.ts", "--check"], { cwd })).toMatchObject({
    code: 3,
    recap: { wouldChange: 2 },
  });
  expect(await play(["note.ts"], { cwd })).toMatchObject({ code: 0, recap: { changed: 2, ok: 0 } });
  expect(await play(["note.ts"], { cwd })).toMatchObject({ code: 0, recap: { changed: 0, ok: 2 } });
  expect(await readFile(join(cwd, "note.txt"), "utf8")).toBe("hello");
  expect(await play(["note.ts", "--param", "text=broken"], { cwd })).toMatchObject({
    code: 1,
    recap: { failed: 1, skipped: 1, exitCode: 1 },
  });
  expect(await cli(["note.ts", "--param", "txt=x"], { cwd })).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("PB_PARAMS_INVALID"),
  });
});

test("a question that nobody can answer stops it before anything is touched; --yes answers", async () => {
  await using here = await folder({ "note.ts": playbook });
  const { path: cwd } = here;
  const asked = await cli(["note.ts", "--param", "ask=true"], { cwd });
  expect([asked.code, asked.stdout]).toEqual([2, ""]);
  expect(asked.stderr).toContain('PB_CONFIRM_NEEDED\n  Nobody is there to answer: "Write hello?"');
  expect(await cli(["note.ts", "--param", "ask=true", "--check"], { cwd })).toMatchObject({
    code: 3,
  });
  expect(await cli(["note.ts", "--param", "ask=true", "--yes"], { cwd })).toMatchObject({
    code: 0,
  });
});

test("--list and --graph show the steps and touch nothing", async () => {
  await using here = await folder({ "note.ts": playbook });
  const { path: cwd } = here;
  const list = await cli(["note.ts", "--list", "--only", "note"], { cwd });
  expect(list.stdout).toMatch(/^note: 1 step on 1 host\n {2}note {2}localhost\n.*left out.*copy/);
  const graph = await cli(["note.ts", "--graph"], { cwd });
  expect(graph.stdout).toMatch(/^flowchart TD\n/);
  expect(graph.stdout).toContain('["copy · localhost"]');
  expect(await readFile(join(cwd, "note.txt")).catch(() => "none")).toBe("none");
});

test("an interrupted run stops at a safe point with exit 130, and the same command goes on", async () => {
  await using here = await folder({ "note.ts": playbook });
  const { path: cwd } = here;
  const child = spawn(process.execPath, [bin, "note.ts", "--param", "text=slow", "-v"], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line === "note localhost: sleep") child.kill("SIGINT");
  }
  if (child.exitCode === null) await once(child, "exit");
  expect(child.exitCode).toBe(130);
  expect(lines.join("\n")).toMatch(
    /Stopping at the next safe point.*note localhost changed.*interrupted/s,
  );
  expect(await play(["note.ts", "--param", "text=slow"], { cwd })).toMatchObject({
    code: 0,
    recap: { ok: 1, changed: 1 },
  });
});

const careful = `import { userInfo } from "node:os";
import { defineInventory, defineModule, playbook, remove, run, sh, writeFile } from "run-playbook";
import { z } from "zod";

const note = defineModule({
  name: "note",
  summary: "Keep a note, and then do something that fails.",
  params: z.strictObject({ path: z.string() }),
  async read(host, want) {
    return { now: await host.readFile(want.path) };
  },
  *diff(now, want) {
    if (now.now === undefined) yield writeFile(want.path, "x", { owner: userInfo().username });
    yield run(sh\`false\`, "fail");
  },
  *undo(before, now, want) {
    if (before.now === undefined && now.now !== undefined) yield remove(want.path);
  },
});
const forGood = defineModule({
  ...note.spec,
  name: "for-good",
  undo: undefined as never,
  lasting: "it is written in stone",
});

export default playbook("careful", { inventory: defineInventory({ hosts: {}, groups: {} }) }, ({ step, control }) => {
  const as = userInfo().username;
  const path = import.meta.dirname + "/note.txt";
  const first = step("note", { on: control, as, onFail: "undo", ensure: note({ path }) });
  step("stone", { on: control, as, after: [first], ensure: forGood({ path }) });
});
`;

test("a playbook that undoes says before it starts what it cannot, and undoes what fails", async () => {
  await using here = await folder({ "careful.ts": careful });
  const { path: cwd } = here;
  const list = await cli(["careful.ts", "--list"], { cwd });
  expect(list.stdout).toBe(
    [
      "careful: 2 steps on 1 host",
      "  note   localhost  (undone if it fails)",
      "  stone  localhost",
      '"stone" cannot be undone: it is written in stone',
      "",
    ].join("\n"),
  );
  const ran = await cli(["careful.ts", "--output", "lines", "-v"], { cwd });
  expect(ran.code).toBe(1);
  const lines = ran.stdout.split("\n");
  expect(lines[1]).toBe('"stone" cannot be undone: it is written in stone');
  expect(lines).toContain("note localhost waiting: it failed: what it changed is being undone");
  expect(lines.join("\n")).toMatch(/note localhost: undo: remove .*note\.txt\n/);
  expect(ran.stdout).toContain("state: undone: localhost is again as the step found it");
  expect(await readFile(join(cwd, "note.txt")).catch(() => "none")).toBe("none");
});
