import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLab } from "#lab/lab.ts";
import { root } from "../support/cli.ts";
import { formsOf, leaksIn, type Planted, patternOf, plant } from "../support/planted.ts";
import { ProcessWatch } from "../support/process-watch.ts";
import { onTerminal, type Screen } from "../support/terminal.ts";

const lab = openLab("security");
const folder = mkdtempSync(join(tmpdir(), "run-playbook-secrets-"));
const at = (name: string) => join(folder, name);
/** On the host: only here may they be. */
const KEPT = "/srv/secrets";

const planted: Record<string, string> = {
  env: plant("env"),
  file: plant("file"),
  command: plant("command"),
  prompt: plant("prompt"),
};
let screen: Screen;
let watch: ProcessWatch;

const sh = async (text: string, stdin?: string): Promise<string> => {
  const argv = ["sh", "-c", text] as const;
  const result = await lab.exec("w1", argv, {
    seconds: 120,
    ...(stdin === undefined ? {} : { stdin }),
  });
  expect(result.code, `${text}\n${result.stderr}`).toBeLessThan(2);
  return result.stdout.trim();
};

beforeAll(async () => {
  await lab.down();
  const view = await lab.up({ hosts: ["w1"], bare: true, disk: "1G", yes: true });
  planted["sudo password"] = readFileSync(view.sudoPasswordFile, "utf8").trim();
  for (const [name, text] of [
    ["source", planted["file"]],
    ["source.printed", planted["command"]],
    ["source.lines", "one line that is long enough\nand another that is so\n"],
  ] as const) {
    writeFileSync(at(name), `${text}\n`);
    chmodSync(at(name), 0o600);
  }
  const [host] = view.hosts;
  const entry = {
    address: host?.address,
    user: "opspw",
    identityFile: view.identityFile,
    knownHostsFile: view.knownHostsFile,
  };
  writeFileSync(
    at("inventory.ts"),
    `import { defineInventory, secretFrom } from "run-playbook";
const sudoPassword = secretFrom.file(${JSON.stringify(view.sudoPasswordFile)});
export default defineInventory({
  hosts: { w1: { ...${JSON.stringify(entry)}, sudoPassword } },
  groups: { nodes: ["w1"] },
});\n`,
  );
  await sh(`mkdir -p -m 700 ${KEPT}`);
  const shown = patternOf(Object.values(planted)).source;
  watch = new ProcessWatch([new RegExp(`^(?![^]*PLANTED_RUN=)[^]*?(?:${shown})`)], 25);
  const env = {
    PLANTED_RUN: "1",
    PLANTED_ENV: planted["env"] ?? "",
    SECRET_FILE: at("source"),
    LINES_FILE: at("source.lines"),
    FOLDER: KEPT,
    AS: "root",
    GROUP: "root",
    HOME: folder,
    XDG_STATE_HOME: at("state"),
  };
  const args = [join(root, "test/fixtures/secrets/play.ts"), "-i", "inventory.ts", "-vv", "--diff"];
  const answers = { "Which secret?": planted["prompt"] ?? "" };
  screen = await onTerminal([...args, "--output", "json"], { cwd: folder, env, answers });
  watch[Symbol.dispose]();
});

afterAll(async () => {
  await lab.down();
  rmSync(folder, { recursive: true, force: true });
});

describe("on a real host, a secret is", () => {
  test("where it should be, though much else failed", async () => {
    expect(await sh(`cat ${KEPT}/env ${KEPT}/prompt`)).toBe(
      `${planted["env"]}${planted["prompt"]}`,
    );
    expect(screen.text).toContain("PB_GATE_TIMEOUT");
    expect(screen.text).not.toMatch(/is unreachable|"host-unreachable"/);
  });

  test("on no screen", () => {
    expect(leaksIn("the screen", screen.text, planted as Planted)).toEqual([]);
  });

  test("in no file of the host but its own, in /run and /tmp least of all", async () => {
    const forms = Object.values(planted).flatMap(formsOf);
    const places = "/tmp /run /var /dev/shm /etc /root /home /srv";
    // The lab itself put the sudo password's hash into shadow, and nothing else.
    const found = await sh(
      `cat >/dev/shm/.forms; grep -rlsFf /dev/shm/.forms --exclude=.forms ${places} | grep -v '^${KEPT}/'; rm /dev/shm/.forms`,
      forms.join("\n"),
    );
    expect(found).toBe("");
  });

  test("in nothing that the host's journal or its sudo wrote down", async () => {
    const journal = await sh("journalctl --no-pager --all -o export");
    expect(journal).toContain("sudo");
    expect(leaksIn("the journal", journal, planted as Planted)).toEqual([]);
  });

  test("in no argument and no environment, neither here nor there", () => {
    expect([...watch.seen]).toEqual([]);
    expect(watch.looks).toBeGreaterThan(20);
  });
});
