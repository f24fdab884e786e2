import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { bin, cli } from "../../../support/cli.ts";
import { folder } from "../../../support/program.ts";

// The control machine is the host, and its locks lie in a folder of the test's own. What a step waits for is a file.
const playbook = `import { userInfo } from "node:os";
import { defineInventory, defineModule, playbook, run, script } from "run-playbook";
import { z } from "zod";

const wait = defineModule({
  name: "wait",
  summary: "Wait until a file is there.",
  params: z.strictObject({ path: z.string() }),
  async read(host, { path }) {
    return { there: (await host.readFile(path)) !== undefined };
  },
  *diff({ there }, { path }) {
    if (!there) yield run(script('while [ ! -e "$1" ]; do sleep 0.1; done', path), "wait for it");
  },
});

export default playbook(
  "wait",
  { inventory: defineInventory({ hosts: {}, groups: {} }), WINDOW },
  ({ step, control }) => {
    const as = userInfo().username;
    const go = step("go", { on: control, as, ensure: wait({ path: import.meta.dirname + "/go" }) });
    step("on", { on: control, as, after: [go], ensure: wait({ path: import.meta.dirname + "/go" }) });
  },
);
`;

const files = (window = "") => ({
  "wait.ts": playbook.replace("WINDOW", window),
  "inventory/hosts.ts": `import { defineInventory } from "run-playbook";
export default defineInventory({ hosts: {}, groups: {} });`,
});

/** A run that is under way: its first step waits. */
async function waiting(cwd: string, ...args: string[]) {
  const child = spawn(process.execPath, [bin, "wait.ts", "-v", ...args], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  const lines: string[] = [];
  const begun = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    if (line === "go localhost: wait for it") begun.resolve();
  });
  child.once("exit", () => begun.resolve());
  await begun.promise;
  return { child, lines };
}

const ended = async (child: ChildProcess) => {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
};

describe("two runs on one host", () => {
  test("do not go on together: the second says who is there, and what to do; unlock frees it", async () => {
    await using here = await folder(files());
    const { path: cwd } = here;
    const { child, lines } = await waiting(cwd);
    const second = await cli(["wait.ts"], { cwd });
    expect(second).toMatchObject({ code: 1 });
    expect(second.stdout).toMatch(
      /PB_HOST_LOCKED {2}localhost\n {2}localhost is locked by run \S+ of \S+ on \S+, since 20\d\d-.* UTC\.\n {2}hint: .*unlock HOST/,
    );
    const asked = await cli(["unlock", "localhost"], { cwd });
    expect(asked.code).toBe(2);
    expect(asked.stdout).toMatch(/^localhost is locked by run /);
    expect(asked.stderr).toContain("PB_CONFIRM_NEEDED");
    const freed = await cli(["unlock", "localhost", "--yes"], { cwd });
    expect(freed).toMatchObject({ code: 0, stdout: expect.stringMatching(/localhost is free\n$/) });
    expect(await cli(["unlock", "localhost"], { cwd })).toMatchObject({
      code: 0,
      stdout: "localhost is not locked\n",
    });
    await expect
      .poll(() => lines.join("\n"), { timeout: 20_000 })
      .toContain("it was freed by hand");
    writeFileSync(join(cwd, "go"), "");
    expect(await ended(child)).toBe(1);
    expect(lines.join("\n")).toMatch(/go localhost changed.*on localhost unreachable/s);
  });

  test("that start in the same moment: one is refused, the other goes on, and leaves the host free", async () => {
    await using here = await folder(files());
    const { path: cwd } = here;
    const both = [cli(["wait.ts"], { cwd }), cli(["wait.ts"], { cwd })];
    // The winner waits for the file: whoever ends before it is there was refused.
    const refused = await Promise.race(both);
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining("PB_HOST_LOCKED") });
    writeFileSync(join(cwd, "go"), "");
    expect((await Promise.all(both)).map(({ code }) => code).sort()).toEqual([0, 1]);
    expect(await cli(["wait.ts"], { cwd })).toMatchObject({ code: 0 });
  });
});

test("unlock takes only hosts that there are", async () => {
  await using here = await folder(files());
  expect(await cli(["unlock", "w9"], { cwd: here.path })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("PB_UNKNOWN_HOST"),
  });
});

/** A window in UTC that opens and closes so many minutes from now. */
const hours = (from: number, to: number) => {
  const at = (minutes: number) =>
    new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
  return `${at(from)}-${at(to)}`;
};

describe("a window", () => {
  test("that is closed ends the run before anything is asked or touched: exit 4, and when it opens", async () => {
    await using here = await folder(files());
    const { path: cwd } = here;
    const closed = await cli(["wait.ts", "--window", `${hours(60, 120)}@UTC`], { cwd });
    expect(closed).toMatchObject({ code: 4, stdout: "" });
    expect(closed.stderr).toMatch(
      /PB_WINDOW_CLOSED\n {2}The window .* UTC is closed; it opens on /,
    );
    expect((await cli(["wait.ts", "--window", "22-4"], { cwd })).code).toBe(2);
  });

  test("of the playbook holds too, but not for --check, and the command line's goes before it", async () => {
    const [from = "", to = ""] = hours(60, 120).split("-");
    const declared = `window: { from: "${from}", to: "${to}", timeZone: "UTC" }`;
    await using here = await folder({ ...files(declared), go: "" });
    const { path: cwd } = here;
    expect((await cli(["wait.ts"], { cwd })).code).toBe(4);
    expect((await cli(["wait.ts", "--check"], { cwd })).code).toBe(0);
    expect((await cli(["wait.ts", "--window", "00:00-24:00"], { cwd })).code).toBe(0);
    const help = await cli(["wait.ts", "--help"], { cwd });
    expect(help.stdout).toContain(`Window: ${from}-${to} UTC`);
  });
});
