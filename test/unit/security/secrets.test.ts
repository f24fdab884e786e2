import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../support/cli.ts";
import { formsOf, leaksIn, type Planted, patternOf, plant, walk } from "../../support/planted.ts";
import { ProcessWatch } from "../../support/process-watch.ts";
import { type Sshd, startSshd } from "../../support/sshd.ts";
import { onTerminal, type Screen } from "../../support/terminal.ts";

const me = userInfo().username;
const group = execFileSync("id", ["-gn"], { encoding: "utf8" }).trim();
const playbook = join(root, "test/fixtures/secrets/play.ts");

const planted: Planted = {
  env: plant("env"),
  file: plant("file"),
  command: plant("command"),
  prompt: plant("prompt"),
  "first line": plant("first-line-of-a-long-one"),
  "second line": plant("second-line-of-a-long-one"),
};

let base: string;
let sshd: Sshd;
let began: number;
let sources: string[];
const screens: Record<string, Screen> = {};
let watch: ProcessWatch;

const at = (...parts: string[]) => join(base, ...parts);

/** The command line on a terminal, in an environment whose every folder is under one that is walked. */
async function go(name: string, args: readonly string[], more: Record<string, string> = {}) {
  const env = {
    PLANTED_RUN: "1",
    PLANTED_ENV: planted["env"] ?? "",
    SECRET_FILE: at("source"),
    LINES_FILE: at("source.lines"),
    FOLDER: at("host"),
    AS: me,
    GROUP: group,
    HOME: at("home"),
    TMPDIR: at("tmp"),
    XDG_STATE_HOME: at("state"),
    XDG_CACHE_HOME: at("cache"),
    XDG_RUNTIME_DIR: at("run"),
    ...more,
  };
  const answers = { "Which secret?": planted["prompt"] ?? "" };
  screens[name] = await onTerminal(args, { cwd: at("work"), env, answers });
}

beforeAll(async () => {
  began = Date.now() - 1000;
  base = mkdtempSync(join(tmpdir(), "secrets-"));
  for (const folder of ["host", "home", "tmp", "state", "cache", "run", "work"])
    mkdirSync(at(folder), { mode: 0o700 });
  const lines = `${planted["first line"]}\n${planted["second line"]}\nshort\n`;
  const contents = {
    source: planted["file"],
    "source.printed": planted["command"],
    "source.lines": lines,
  };
  for (const [name, content] of Object.entries(contents)) {
    writeFileSync(at(name), `${content}\n`);
    chmodSync(at(name), 0o600);
  }
  sources = Object.keys(contents).map((name) => at(name));
  // This machine is the host: others play host on it too, and keep theirs elsewhere.
  sshd = await startSshd({ env: { RUN_PLAYBOOK_RUN_DIR: at("host/.run") } });
  const { port, knownHostsFile, identityFile } = sshd;
  const hosts = { h1: { address: "::1", port, user: me, knownHostsFile, identityFile } };
  const inventory = { kind: "inventory", hosts, groups: { nodes: ["h1"] }, settings: {} };
  writeFileSync(at("work/inventory.ts"), `export default ${JSON.stringify(inventory)};`);

  const shown = patternOf(Object.values(planted)).source;
  // Who started the run gave it the variable, and its own children have it too; nobody else may.
  watch = new ProcessWatch([new RegExp(`^(?![^]*PLANTED_RUN=)[^]*?(?:pl4nt-|${shown})`)], 25);
  const run = [playbook, "-i", "inventory.ts", "-vv", "--diff"];
  await go("check", [...run, "--check", "--output", "lines"]);
  await go("apply, as events", [...run, "--output", "json"]);
  await go("apply, as a tree", [...run, "--output", "tree"]);
  await go("resume", ["resume", "last", "--yes"]);
  await go("plan", [playbook, "-i", "inventory.ts", "--plan-out", "plan.json"], { ONLY: "good" });
  rmSync(at("host/rendered"), { force: true });
  await go("plan of a drift", [playbook, "-i", "inventory.ts", "--plan-out", "drift.json"], {
    ONLY: "good",
  });
  await go("apply a plan", ["--apply-plan", "drift.json", "-i", "inventory.ts", "-vv", "--diff"], {
    ONLY: "good",
  });
  await go("runs", ["runs"]);
  await go("show", ["show", "last"]);
  await go("show, for programs", ["show", "last", "--output", "json"]);
  watch[Symbol.dispose]();
}, 400_000);

afterAll(async () => {
  await sshd?.stop();
  rmSync(base, { recursive: true, force: true });
});

describe("a secret is", () => {
  test("where it should be", () => {
    const on = (name: string) => readFileSync(at("host", name), "utf8");
    expect(["env", "file", "command", "prompt"].map(on)).toEqual(
      ["env", "file", "command", "prompt"].map((name) => planted[name]),
    );
    expect(on("rendered")).toBe(`password = ${planted["env"]}\n`);
    expect(on("handed-on")).toBe(on("minted"));
  });

  test("masked where steps failed in every way that they can", () => {
    const failed = screens["apply, as events"]?.text ?? "";
    const codes = [...failed.matchAll(/"error":\{"code":"(\w+)"/g)].map(([, code]) => code);
    expect([...new Set(codes)].toSorted()).toEqual([
      "PB_BUG",
      "PB_COMMAND_FAILED",
      "PB_GATE_TIMEOUT",
      "PB_NOT_CONVERGED",
      "PB_PARAMS_INVALID",
      "PB_ROLLBACK_FAILED",
      "PB_SECRET_MISUSED",
      "PB_TEMPLATE",
      "PB_WRITE_FAILED",
    ]);
    expect(failed.match(/\[secret\]/g)?.length).toBeGreaterThan(12);
    for (const name of ["apply a plan", "show, for programs", "runs"])
      expect(screens[name]?.code, screens[name]?.text).toBe(0);
  });

  test("on no screen, whatever fails or says it", () => {
    const minted = readFileSync(at("host/minted"), "utf8");
    for (const [name, { text }] of Object.entries(screens))
      expect(leaksIn(name, text, { ...planted, minted })).toEqual([]);
  });

  test("in no file of the control machine: journal, plan, keys, caches, temporary ones", () => {
    const minted = readFileSync(at("host/minted"), "utf8");
    const found = walk([base], { ...planted, minted }, { except: [...sources, at("host")] });
    expect(found.leaks).toEqual([]);
    const { files } = walk([at("state"), at("work")], {});
    expect(files).toBeGreaterThan(8);
    expect(readFileSync(at("work/plan.json"), "utf8")).toContain("rendered");
  });

  test("nor is what the control machine keeps for anybody else to read", () => {
    const kept = readdirSync(at("state/run-playbook"), { recursive: true, withFileTypes: true });
    const modes = kept.map(({ name, parentPath }) => {
      const { mode } = statSync(join(parentPath, name));
      return `${name} ${(mode & 0o077).toString(8)}`;
    });
    expect(modes.filter((line) => !line.endsWith(" 0"))).toEqual([]);
    expect(modes.length).toBeGreaterThan(4);
  });

  test("in no other file of the host", () => {
    const found = walk(["/tmp", "/run", "/var/tmp", "/dev/shm"], planted, {
      since: began,
      // This very test, as its runner keeps it, holds what it plants.
      except: [base, root],
    });
    expect(found.leaks).toEqual([]);
  });

  test("found wherever it lies, in each of its forms", async () => {
    const [secret = ""] = Object.values(planted);
    for (const form of formsOf(secret)) {
      mkdirSync(at("tmp"), { recursive: true });
      writeFileSync(at("tmp/leak"), `x ${form} y`);
      expect(walk([base], planted, { except: [...sources, at("host")] }).leaks).toHaveLength(1);
    }
    rmSync(at("tmp/leak"));
    using other = new ProcessWatch([/pl4nt-/], 5);
    const sleeper = spawn("sleep", ["60"], { env: { LEAK: secret } });
    await expect.poll(() => [...other.seen]).toContain(`LEAK=${secret}: pl4nt-`);
    sleeper.kill();
  });

  test("in no argument and no environment, on either end", () => {
    expect([...watch.seen]).toEqual([]);
    expect(watch.looks).toBeGreaterThan(40);
  });
});
