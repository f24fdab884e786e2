import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { bin, root } from "../../support/cli.ts";
import { folder, runProgram } from "../../support/program.ts";

// Each command is the real one, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

const steady = (text: string): string =>
  text
    .replace(/\d+\.\ds/g, "0.1s")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "2026-11-26T22:01:00.000Z")
    .replace(/resume 2\S+/, "resume 2026-11-26-220159-k3f9");

test("the page on plan files shows what its commands really print", async () => {
  const page = await readFile(join(root, "docs/plan-files.md"), "utf8");
  const [code = ""] = blocks(page, "ts");
  await using here = await folder({ "greeting.ts": code });
  await mkdir(join(here.path, "bin"));
  const command = join(here.path, "bin/run-playbook");
  const program = [process.execPath, bin];
  await writeFile(
    command,
    `#!/bin/sh\nexec ${program.map((word) => `'${word}'`).join(" ")} "$@"\n`,
  );
  await chmod(command, 0o755);
  const env = {
    PATH: `${join(here.path, "bin")}:${process.env["PATH"]}`,
    XDG_STATE_HOME: join(here.path, "state"),
  };
  let made: string | undefined;
  const printed: string[] = [];
  for (const block of blocks(page, "console")) {
    const lines: string[] = [];
    for (const [, line = ""] of block.matchAll(/^\$ (.*)$/gm)) {
      const { stdout, stderr } = await runProgram(["sh", "-c", line], { cwd: here.path, env });
      made ??= await readFile(join(here.path, "plan.json"), "utf8");
      lines.push(`$ ${line}\n`, steady(stdout + stderr).replaceAll(`${here.path}/`, ""));
    }
    printed.push(lines.join(""));
  }
  expect(printed).toEqual(blocks(page, "console"));
  const [step] = (JSON.parse(made ?? "{}") as { steps: unknown[] }).steps;
  const shown = JSON.stringify(step, undefined, 2)
    .replace(/"[\w-]{22}"/g, '"…"')
    .replaceAll(`${here.path}/`, "");
  expect(`${shown}\n`).toBe(blocks(page, "json")[0]);
});

const blocks = (page: string, language: string): string[] =>
  Array.from(
    page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms")),
    ([, text = ""]) => text,
  );
