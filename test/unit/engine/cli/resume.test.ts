import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { access, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test, vi } from "vitest";
import { bin, cli } from "../../../support/cli.ts";
import { folder, runProgram } from "../../../support/program.ts";

// Each starts the real command line several times, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

// On the control machine and as whoever runs the tests. `slow` waits while a file named `wait` lies beside it.
const playbook = `import { userInfo } from "node:os";
import { defineInventory, defineModule, isSecret, playbook, run, script, secret, secretFrom, writeFile } from "run-playbook";
import { z } from "zod";

const WAIT = 'mkdir "$1/at-work" || echo >"$1/twice"; while [ -e "$1/wait" ]; do sleep 0.05; done; rmdir "$1/at-work"';

const note = defineModule({
  name: "note",
  summary: "Keep a note.",
  params: z.strictObject({ path: z.string(), text: z.union([z.string(), z.custom(isSecret)]), waits: z.boolean().default(false) }),
  async read(host, want) {
    return { now: await host.readFile(want.path) };
  },
  *diff({ now }, { path, text, waits }) {
    if (now === (isSecret(text) ? text.reveal() : text)) return;
    if (waits) yield run(script(WAIT, import.meta.dirname), "wait");
    yield writeFile(path, text, { was: now, owner: userInfo().username });
  },
});

export default playbook(
  "note",
  {
    inventory: defineInventory({ hosts: {}, groups: {} }),
    params: z.object({ text: z.string().default("hello"), token: secret().optional(), ask: z.boolean().default(false) }),
  },
  ({ step, control, params }) => {
    const own = { on: control, as: userInfo().username };
    const path = (name) => import.meta.dirname + "/" + name;
    const first = step("first", { ...own, ensure: note({ path: path("first"), text: "1" }) });
    const slow = step("slow", { ...own, after: [first], ensure: note({ path: path("slow"), text: params.text, waits: true }) });
    step("follow", { ...own, onChange: [first], after: [slow], ensure: note({ path: path("follow"), text: "3" }) });
    if (params.token) step("token", { ...own, after: [slow], ensure: note({ path: path("token"), text: params.token }) });
    if (params.ask) step("asked", { ...own, after: [slow], ensure: note({ path: path("asked"), text: secretFrom.prompt("Say it:") }) });
  },
);
`;

/** A folder with the playbook, and runs of its own. */
async function stage(files: Readonly<Record<string, string>> = {}) {
  const { path: cwd, ...here } = await folder({ "note.ts": playbook, wait: "", ...files });
  const env = { XDG_STATE_HOME: join(cwd, "state"), RUN_PLAYBOOK_RUN_DIR: join(cwd, "run") };
  const text = (name: string) => readFile(join(cwd, name), "utf8").catch(() => undefined);
  return { ...here, cwd, env, text, cli: (...args: string[]) => cli(args, { cwd, env }) };
}

/** Starts a run; `kill` ends it in the middle of a change. */
async function started(stage: { cwd: string; env: Record<string, string> }, ...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args, "-v"], {
    cwd: stage.cwd,
    env: { ...process.env, NO_COLOR: "1", ...stage.env },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const waiting = Promise.withResolvers<void>();
  output.on("line", (line) => line === "slow localhost: wait" && waiting.resolve());
  output.on("close", waiting.resolve);
  await waiting.promise;
  const ended = once(child, "close");
  return {
    lines,
    /** Leaves its command at work. */
    async kill() {
      await vi.waitFor(() => access(join(stage.cwd, "at-work")), { timeout: 30_000 });
      child.kill("SIGKILL");
      await ended;
    },
    async end(signal: NodeJS.Signals) {
      child.kill(signal);
      if (signal === "SIGINT") await rm(join(stage.cwd, "wait"));
      await ended;
      await rm(join(stage.cwd, "wait"), { force: true });
      return child.exitCode;
    },
  };
}

test("a killed run is shown with what is in doubt and what is left, and resumed to its end, once", async () => {
  await using here = await stage();
  const run = await started(here, "note.ts");
  expect(await here.cli("resume", "last")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^PB_RUN_ALIVE\n {2}The run \S+ is still on: process \d+, since/),
  });
  expect((await here.cli("runs")).stdout).toMatch(/running \(process \d+\) +2 of 3, 1 under way/);
  await run.end("SIGKILL");
  const [id = ""] = /^2\S+/m.exec((await here.cli("runs")).stdout) ?? [];
  expect((await here.cli("runs")).stdout).toMatch(/note .* killed +2 of 3, 1 in doubt\n$/);
  const shown = await here.cli("show", "last");
  expect(shown.stdout).toMatch(/\nin doubt\n {2}slow {2}localhost {2}wait \(begun /);
  expect(shown.stdout).toContain("\nstill set off by a change\n  follow  localhost\n");
  expect(
    JSON.parse((await here.cli("show", id.slice(0, 16), "--output", "json")).stdout),
  ).toMatchObject({
    run: id,
    standing: "killed",
    owed: [{ step: "follow", host: "localhost" }],
    nodes: [{ step: "first", settled: true }, { step: "slow", settled: false }, { step: "follow" }],
  });

  const resumed = await here.cli("resume", id);
  expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining("1 ok, 2 changed") });
  expect(resumed.stderr).toMatch(
    /^Resuming \S+: note, begun .* killed .*\n1 of 3 nodes settled, 1 in doubt/,
  );
  expect(resumed.stderr).toContain(
    "in doubt: slow on localhost: wait\n    still wanted: wait, write",
  );
  expect(await here.text("follow")).toBe("3");
  expect((await here.cli("runs")).stdout).toMatch(/converged after .* nothing\n.*resumed as 2/);
  expect((await here.cli("resume", id)).stderr).toMatch(/^PB_RUN_RESUMED\n.*as 2/);
  expect((await here.cli("resume", "last")).stderr).toMatch(/^PB_RUN_NONE_LEFT/);
});

/** The commands of all processes with these journals. */
const processes = ({ XDG_STATE_HOME: state }: { readonly XDG_STATE_HOME: string }) =>
  globSync("/proc/[0-9]*").flatMap((of) => {
    try {
      const [environ, command] = [`${of}/environ`, `${of}/cmdline`].map((file) =>
        readFileSync(file, "utf8"),
      );
      const isOurs = environ?.includes(`XDG_STATE_HOME=${state}\0`) === true;
      return isOurs && command !== undefined ? [command.replaceAll("\0", " ")] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });

test("a command that outlived its engine is waited for, and not begun again beside itself", async () => {
  await using here = await stage();
  const run = await started(here, "note.ts");
  await run.kill();
  const resuming = here.cli("resume", "last");
  await vi.waitFor(
    () =>
      expect(processes(here.env)).toContainEqual(
        expect.stringMatching(/^sh -c # leftovers\n.* sh 240 \S+ $/s),
      ),
    {
      timeout: 60_000,
    },
  );
  await rm(join(here.cwd, "wait"));
  expect(await resuming).toMatchObject({ code: 0 });
  expect(await here.text("slow")).toBe("hello");
  expect(await here.text("twice")).toBeUndefined();
});

test("what was set off and kept from running still runs after several resumes that failed", async () => {
  await using here = await stage({ "slow/folder": "a folder is in the way" });
  expect((await here.cli("note.ts")).code).toBe(1);
  const failed = await here.cli("resume", "last");
  expect(failed).toMatchObject({ code: 1 });
  expect(failed.stdout).toMatch(/; run-playbook resume 2\S+ goes on\n/);
  await rm(join(here.cwd, "slow"), { recursive: true });
  await rm(join(here.cwd, "wait"));
  expect(await here.cli("resume", "last")).toMatchObject({ code: 0 });
  expect(await here.text("follow")).toBe("3");
});

test("a plain run after one that was killed names what only its resume would run", async () => {
  await using here = await stage();
  await (await started(here, "note.ts")).end("SIGKILL");
  const [id = ""] = /^2\S+/m.exec((await here.cli("runs")).stdout) ?? [];
  const owed = `\`run-playbook resume ${id}\` would also run what a change set off there: follow on localhost.\n`;
  // The dead run's lock is not waited for.
  const env = { ...here.env, RUN_PLAYBOOK_RUN_DIR: join(here.cwd, "locks") };
  const plain = await cli(["note.ts"], { cwd: here.cwd, env });
  expect(plain).toMatchObject({ code: 0, stderr: owed });
  expect(await here.text("follow")).toBeUndefined();
  expect((await cli(["note.ts"], { cwd: here.cwd, env })).stderr).toBe("");
});

test("what an interrupted run leaves is as long as it took the last time that it was done", async () => {
  await using here = await stage();
  await rm(join(here.cwd, "wait"));
  expect((await here.cli("note.ts")).code).toBe(0);
  for (const name of ["first", "slow", "follow"]) await rm(join(here.cwd, name));
  await writeFile(join(here.cwd, "wait"), "");
  const run = await started(here, "note.ts");
  expect(await run.end("SIGINT")).toBe(130);
  expect(run.lines.join("\n")).toMatch(
    /left: 1 step on 1 host \(1 node\), about \S+ last time\n {2}follow on localhost\n/,
  );
});

test("the hours that a run was given hold for its resume, unless others are given", async () => {
  await using here = await stage();
  await (await started(here, "note.ts", "--window", "00:00-24:00@UTC")).end("SIGKILL");
  expect((await here.cli("show", "last")).stdout).toContain("--window 00:00-24:00@UTC");
  const [id = ""] = /^2\S+/m.exec((await here.cli("runs")).stdout) ?? [];
  const journal = join(here.cwd, "state/run-playbook/runs", id, "journal.jsonl");
  const time = (ms: number) => new Date(Date.now() + ms).toISOString().slice(11, 16);
  const closed = `${time(6 * 3_600_000)}-${time(7 * 3_600_000)}@UTC`;
  // As of a window that has closed since.
  await writeFile(journal, (await readFile(journal, "utf8")).replace("00:00-24:00@UTC", closed));
  for (const more of [[], ["--window", closed]])
    expect(await here.cli("resume", "last", ...more)).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/^PB_WINDOW_CLOSED\n/),
    });
  expect(await here.text("slow")).toBeUndefined();
  expect(await here.cli("resume", "last", "--window", "00:00-24:00")).toMatchObject({ code: 0 });
});

test("the plan that a run was held to holds for its resume", async () => {
  await using here = await stage();
  expect((await here.cli("note.ts", "--plan-out", "plan.json")).code).toBe(3);
  await (await started(here, "--apply-plan", "plan.json")).end("SIGKILL");
  await writeFile(join(here.cwd, "first"), "by somebody else");
  const refused = await here.cli("resume", "last");
  expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining("PB_PLAN_DRIFTED") });
  expect([await here.text("first"), await here.text("slow")]).toEqual([
    "by somebody else",
    undefined,
  ]);
  await rm(join(here.cwd, "first"));
  expect(await here.cli("resume", "last")).toMatchObject({ code: 0 });
  expect(await here.text("follow")).toBe("3");
});

test("an interrupted run names the command that goes on with it", async () => {
  await using here = await stage();
  const run = await started(here, "note.ts");
  expect(await run.end("SIGINT")).toBe(130);
  expect(run.lines.join("\n")).toMatch(
    /next safe point; `run-playbook resume (\S+)` goes on.*interrupted.*; run-playbook resume \1 goes on/s,
  );
  expect((await here.cli("runs")).stdout).toMatch(/interrupted after .* 1 of 3\n/);
  expect(await here.cli("resume", "last")).toMatchObject({ code: 0 });
  expect(await here.text("follow")).toBe("3");
});

test("a playbook that was edited since is named with what differs, before anything runs", async () => {
  await using here = await stage();
  await (await started(here, "note.ts")).end("SIGKILL");
  await writeFile(join(here.cwd, "note.ts"), playbook.replace('text: "3"', 'text: "4"'));
  const refused = await here.cli("resume", "last");
  expect([refused.code, refused.stdout]).toEqual([2, ""]);
  expect(refused.stderr).toContain(
    `Since then:\n  ${join(here.cwd, "note.ts")} was edited\n  step "follow": text differs\nPB_CONFIRM_NEEDED`,
  );
  expect(await here.text("slow")).toBeUndefined();
  expect(await here.cli("resume", "last", "--yes")).toMatchObject({ code: 0 });
  expect(await here.text("follow")).toBe("4");
});

test("params are as they were; secret ones were never written down and are asked for again", async () => {
  await using here = await stage();
  const args = ["note.ts", "--param", "text=bye", "--param", "token=hunter2-hunter2"];
  await (await started(here, ...args)).end("SIGKILL");
  const found = await runProgram(["grep", "-r", "hunter2", "state"], { cwd: here.cwd });
  expect(found).toMatchObject({ code: 1, stdout: "" });
  expect(await here.cli("resume", "last")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^PB_SECRET_PARAM\n.*token/),
  });
  expect((await here.cli("resume", "last", "--param", "text=no")).stderr).toContain("PB_USAGE");
  expect(await here.cli("resume", "last", "--param", "token=hunter2-hunter2")).toMatchObject({
    code: 0,
    stderr: expect.not.stringContaining("Since then"),
  });
  expect([await here.text("slow"), await here.text("token")]).toEqual(["bye", "hunter2-hunter2"]);
});

/** Runs the command line on a terminal of its own, and answers its question there. */
function onTerminal({ cwd, env }: { cwd: string; env: Record<string, string> }, args: string) {
  const line = `"${process.execPath}" "${bin}" ${args} --output lines`;
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 60_000,
  });
  const seen = { text: "", asked: 0 };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    seen.text += text;
    const asked = seen.text.split("Say it:").length - 1;
    if (asked > seen.asked) child.stdin.write("hunter2\r");
    seen.asked = asked;
  });
  return { seen, ended: once(child, "close") };
}

test("a secret that is prompted for is asked for again, once", async () => {
  await using here = await stage();
  const first = onTerminal(here, "note.ts --param ask=true");
  await vi.waitFor(
    async () => {
      const shown = await here.cli("show", "last", "--output", "json");
      expect(shown.stdout).toContain('"say":"wait"');
      process.kill(JSON.parse(shown.stdout).by.pid, "SIGKILL");
    },
    { timeout: 60_000 },
  );
  await first.ended;
  await rm(join(here.cwd, "wait"));
  const resumed = onTerminal(here, "resume last");
  await resumed.ended;
  expect([first.seen.asked, resumed.seen.asked]).toEqual([1, 1]);
  expect(resumed.seen.text).toContain("in doubt: slow on localhost");
  expect(await here.text("asked")).toBe("hunter2");
});

/** Runs the playbook with a limit on the size of files, in blocks of at most 1 KiB. */
const limited = (here: { cwd: string; env: Record<string, string> }, blocks: number) =>
  runProgram(
    [
      "sh",
      "-c",
      'ulimit -f "$1"; shift; exec "$@"',
      "sh",
      String(blocks),
      process.execPath,
      bin,
      "note.ts",
    ],
    { cwd: here.cwd, env: here.env },
  );

test("where the journal has no room nothing is changed that it does not know of, and with room the run is resumed", async () => {
  await using here = await stage();
  await rm(join(here.cwd, "wait"));
  const refused = await limited(here, 1);
  expect([refused.code, refused.stdout]).toEqual([2, ""]);
  expect(refused.stderr).toMatch(/^PB_JOURNAL_UNWRITABLE\n/);
  expect((await here.cli("runs")).stdout).toBe("No run was made here yet.\n");
  expect((await here.cli("show", "last")).stdout).toBe("No run was made here yet.\n");
  // Room for the beginning, and not for all that follows.
  let blocks = 2;
  for (let stopped = refused; stopped.code === 2; blocks += 1)
    stopped = await limited(here, blocks);
  const { nodes } = JSON.parse((await here.cli("show", "last", "--output", "json")).stdout);
  const begun = nodes
    .filter(({ changes }: { changes: unknown[] }) => changes.length > 0)
    .map(({ step }: { step: string }) => step);
  for (const name of ["first", "slow", "follow"])
    if ((await here.text(name)) !== undefined) expect(begun).toContain(name);
  expect(await here.text("follow")).toBeUndefined();
  expect((await here.cli("resume", "last")).code).toBe(0);
  expect(await here.text("follow")).toBe("3");
});

test("a check leaves no journal, nor does what is refused before it starts", async () => {
  await using here = await stage();
  expect((await here.cli("note.ts", "--check")).code).toBe(3);
  expect((await here.cli("note.ts", "--param", "ask=true")).code).toBe(2);
  expect((await here.cli("runs")).stdout).toBe("No run was made here yet.\n");
});
