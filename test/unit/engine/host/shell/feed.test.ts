/** What goes into a command or a file arrives whole, or counts for nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { script, withStdin } from "#engine/host/command.ts";
import { ShellConnection } from "#engine/host/shell/connection.ts";

const folder = mkdtempSync(join(tmpdir(), "feed-"));
const file = join(folder, "target");
const shells = new Set<ChildProcess>();
/** More than fits into a pipe, so that the decoder still runs when the command has read the first bytes. */
const content = "0123456789abcdef".repeat(40_000);

const connection = new ShellConnection({
  open: async (line) => {
    const shell = spawn("sh", ["-c", line], {
      env: { PATH: `${folder}/programs:/usr/bin:/bin:/usr/sbin`, HOME: folder },
      stdio: "pipe",
    });
    shells.add(shell);
    const closed = once(shell, "close").then(([code]) => ({ code: code as number }));
    const { stdin, stdout, stderr } = shell;
    return { stdin, stdout, stderr, closed, destroy: () => void shell.kill("SIGKILL") } as never;
  },
  identity: { host: "h1", loginUser: "root" },
  lost: new Promise(() => undefined),
  end: async () => undefined,
});

const decoder = (text: string) => {
  writeFileSync(join(folder, "programs/base64"), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, "programs/base64"), 0o755);
};

beforeAll(() => {
  mkdirSync(join(folder, "programs"));
});
afterAll(async () => {
  for (const shell of shells) shell.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const broken: Record<string, string> = {
  "is killed after 20 bytes": `/usr/bin/base64 -d | head -c 20; kill -KILL $$`,
  "is terminated after 20 bytes": `/usr/bin/base64 -d | head -c 20; kill -TERM $$`,
  "cannot be started": "exit 127",
};

describe.each(Object.entries(broken))("where the decoder %s", (_, text) => {
  test("a file keeps its old content, and nothing stays beside it", async () => {
    writeFileSync(file, "old");
    decoder(text);
    await expect(
      connection.writeFile(file, Buffer.from(content.slice(0, 200)), { mode: 0o644 }),
    ).rejects.toMatchObject({ code: "PB_WRITE_FAILED" });
    expect(readFileSync(file, "utf8")).toBe("old");
    expect(readdirSync(folder).sort()).toEqual(["programs", "target"]);
  });

  test("a command does not take the part for the whole", async () => {
    writeFileSync(file, "old");
    decoder(text);
    const replaces = script(`cat >"$1.new" && mv "$1.new" "$1"`, file);
    const { code, stderr } = await connection.run(withStdin(replaces, content));
    expect(code).toBeGreaterThan(128);
    expect(stderr).toContain("did not arrive whole");
    expect(readFileSync(file, "utf8")).toBe("old");
    rmSync(`${file}.new`, { force: true });
  });
});

test("a command that reads no further than it needs is no fault", async () => {
  decoder(`exec /usr/bin/base64 "$@"`);
  for (const reads of ["head -c 5", "true", "cat"]) {
    const { code, stderr, stdout } = await connection.run(withStdin(script(reads), content));
    expect([reads, code, stderr]).toEqual([reads, 0, ""]);
    if (reads === "cat") expect(stdout).toBe(content);
  }
});
