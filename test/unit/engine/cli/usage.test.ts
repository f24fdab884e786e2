import { expect, test, vi } from "vitest";
import { cli } from "../../../support/cli.ts";
import { folder } from "../../../support/program.ts";

// Each starts the real command line, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

test.each([
  { argv: [], says: ["PB_USAGE", "No playbook is named."] },
  {
    argv: ["x.ts", "--chek"],
    says: ["PB_USAGE", "Unknown option '--chek'.", "Did you mean --check?"],
  },
  { argv: ["labb", "up"], says: ["PB_USAGE", 'There is no command "labb".', "Did you mean lab?"] },
  {
    argv: ["resum", "x"],
    says: ["PB_USAGE", 'There is no command "resum".', "Did you mean resume?"],
  },
  { argv: ["resume"], says: ["PB_USAGE", "RUN"] },
  { argv: ["show", "x"], says: ["PB_RUN_UNKNOWN", 'No run here is called "x"'] },
  { argv: ["lab", "upp"], says: ["PB_USAGE", "Unknown command 'upp'.", "Did you mean up?"] },
  { argv: ["lab", "up", "--foo"], says: ["PB_USAGE", "Unknown option '--foo'."] },
  { argv: ["completion", "tcsh"], says: ["PB_USAGE", "bash, zsh, fish"] },
])("$argv is a usage error that says what would be right", async ({ argv, says }) => {
  await using here = await folder({});
  const { code, stdout, stderr } = await cli([...argv], { cwd: here.path });
  expect([code, stdout]).toEqual([2, ""]);
  for (const part of says) expect(stderr).toContain(part);
});

test("help and version go to standard output and are no failure", async () => {
  await using here = await folder({});
  for (const argv of [["--help"], ["-h"], ["help"]]) {
    const { code, stdout } = await cli([...argv], { cwd: here.path });
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: run-playbook PLAYBOOK [options]");
    expect(stdout).toContain("$ run-playbook bootstrap.ts --lab --yes");
  }
  const help = await cli(["lab", "up", "--help"], { cwd: here.path });
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toContain("Usage: run-playbook lab up");
  expect(await cli(["--version"], { cwd: here.path })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: "",
  });
});
