/** The command line as a process among others: slow readers, closed pipes, full disks, folders that are gone. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bin, cli } from "../support/cli.ts";
import { folder, runProgram } from "../support/program.ts";

const shell = (cwd: string, text: string, env: Record<string, string> = {}) =>
  runProgram(["bash", "-o", "pipefail", "-c", text], {
    cwd,
    env: { BIN: bin, NODE: process.execPath, ...env },
  });

/** A playbook whose events are some 300 KiB. */
const talkative = `import { playbook } from "run-playbook";
import * as use from "run-playbook/modules";
export default playbook("talkative", { groups: [] }, ({ step, control }) => {
  for (let n = 0; n < 300; n++)
    step(\`step \${n} \${"x".repeat(120)}\`, { on: control, ensure: use.assertOs({}) });
});`;
const nobody =
  'import { defineInventory } from "run-playbook";\nexport default defineInventory({ hosts: {}, groups: {} });';

describe("output", () => {
  test("a reader that is slower than the run gets all of it: --output json | (sleep 45; cat) stopped at 64 KiB with exit 0", async () => {
    await using here = await folder({ "talkative.ts": talkative, "inventory/hosts.ts": nobody });
    // Its work takes a second, and it used to end two seconds after that.
    const text = '"$NODE" "$BIN" talkative.ts --check --output json | (sleep 8; cat)';
    const state = { XDG_STATE_HOME: join(here.path, "state") };
    const { code, stdout } = await shell(here.path, text, state);
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(150_000);
    const last = stdout.trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({ type: "recap", ok: 300 });
  });

  test("a full disk is an error with an exit code, and no stack trace", async () => {
    await using here = await folder({});
    const { code, stderr } = await shell(here.path, '"$NODE" "$BIN" --help >/dev/full');
    expect(stderr).toContain("PB_OUTPUT_LOST");
    expect(stderr).toContain("no space left on device");
    expect(stderr).not.toMatch(/ at .*\.[jt]s:\d/);
    expect(code).toBe(1);
  });

  test("a pipe that its reader closed is an error with an exit code", async () => {
    await using here = await folder({ "talkative.ts": talkative, "inventory/hosts.ts": nobody });
    const text = '"$NODE" "$BIN" talkative.ts --check --output json | head -c 100 >/dev/null';
    const state = { XDG_STATE_HOME: join(here.path, "state") };
    const { code, stderr } = await shell(here.path, text, state);
    expect(stderr).toContain("PB_OUTPUT_LOST");
    expect(stderr).toContain("its reader closed it");
    expect(code).toBe(1);
  });
});

describe("a machine that is not ordinary", () => {
  test("a working folder that was deleted is said in words", async () => {
    await using here = await folder({});
    const { code, stderr } = await shell(
      here.path,
      'mkdir gone; cd gone; rmdir ../gone; "$NODE" "$BIN" runs',
    );
    expect(stderr).toContain("PB_FOLDER_GONE");
    expect(stderr).not.toMatch(/ at .*\.[jt]s:\d/);
    expect(code).toBe(2);
  });

  test("a user with a number and no name looks at a host", async () => {
    await using here = await folder({ "talkative.ts": talkative, "inventory/hosts.ts": nobody });
    const text =
      "chmod -R go+rX . && mkdir state && chown 64321 state && " +
      'env -u HOME setpriv --reuid 64321 --clear-groups "$NODE" "$BIN" talkative.ts --check';
    const { code, stdout, stderr } = await shell(here.path, text, {
      XDG_STATE_HOME: join(here.path, "state"),
    });
    expect(stderr).toBe("");
    expect(stdout).toContain("300 ok");
    expect(code).toBe(0);
  });

  test("a runs folder of root after a run under sudo is said in words", async () => {
    await using here = await folder({});
    const text = `mkdir -p state/run-playbook/runs && chmod 700 state/run-playbook/runs && chmod go+rx . && setpriv --reuid 64321 --clear-groups "$NODE" "$BIN" runs`;
    const { code, stderr } = await shell(here.path, text, {
      XDG_STATE_HOME: join(here.path, "state"),
    });
    expect(stderr).toContain("PB_RUNS_UNREADABLE");
    expect(stderr).toContain("permission denied");
    expect(code).toBe(2);
  });
});

describe("what lies in the folder of runs", () => {
  const failing = `import { playbook } from "run-playbook";
import * as use from "run-playbook/modules";
export default playbook("failing", { groups: [] }, ({ step, control }) => {
  step("never", { on: control, ensure: use.command({ argv: ["false"], creates: "/nowhere/x" }) });
});`;

  test("one broken journal blocks `resume last`, a stray file `show last`: both are told, and hide no other run", async () => {
    await using here = await folder({ "failing.ts": failing, "inventory/hosts.ts": nobody });
    const env = {
      XDG_STATE_HOME: join(here.path, "state"),
      RUN_PLAYBOOK_RUN_DIR: join(here.path, "lock"),
    };
    const run = (...args: string[]) => cli(args, { cwd: here.path, env });
    expect((await run("failing.ts", "--yes")).code).toBe(1);
    const runs = join(here.path, "state/run-playbook/runs");
    await writeFile(join(runs, "notes.txt"), "mine");
    await mkdir(join(runs, "zzz"));
    expect((await run("show", "last")).stdout).toContain("failing");
    await mkdir(join(runs, "2999-01-01-000000-aaaa"));
    await writeFile(join(runs, "2999-01-01-000000-aaaa/journal.jsonl"), "no journal\nat all\n");
    const resumed = await run("resume", "last", "--yes");
    expect(resumed.stderr).toContain("Left out: Line 1 of ");
    expect(resumed.stderr).toContain("Resuming ");
    const undone = await run("undo", "last", "--yes");
    expect(undone.stderr).toContain("PB_JOURNAL_BROKEN");
    expect(undone.stderr).toContain("2999-01-01-000000-aaaa changed something is not known");
    expect(undone.code).toBe(2);
    await rm(join(runs, "2999-01-01-000000-aaaa"), { recursive: true });
    await mkdir(join(runs, "2999-01-01-000000-bbbb/journal.jsonl"), { recursive: true });
    const shown = await run("show", "2999");
    expect(shown.stderr).toMatch(/^PB_RUNS_UNREADABLE\n/);
    expect((await run("resume", "last", "--yes")).stderr).toContain(
      "Left out: What is kept of runs",
    );
    await rm(join(runs, "2999-01-01-000000-bbbb"), { recursive: true });
  });
});

describe("words that mean nothing", () => {
  test("help of a command that is none names the nearest one", async () => {
    const { code, stderr } = await cli(["help", "resum"]);
    expect(stderr).toContain('There is no command "resum".');
    expect(stderr).toContain("Did you mean resume?");
    expect(code).toBe(2);
  });

  test("options of `lab` stand behind its subcommand too", async () => {
    const { code, stderr } = await cli(["lab", "status", "--name", "not-there"]);
    expect(stderr).toContain('Lab "not-there" is not up.');
    expect(code).toBe(1);
  });
});
