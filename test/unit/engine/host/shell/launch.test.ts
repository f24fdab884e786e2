import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import { launch } from "#engine/host/shell/launch.ts";
import type { OpenPipe, PipeEnd } from "#engine/host/shell/pipe.ts";

/** A login shell that is some script, in place of the user's own. */
const login =
  (text: string): OpenPipe =>
  async (line) => {
    const child = spawn("/bin/sh", ["-c", text, "login", line], { detached: true });
    const closed = new Promise<PipeEnd>((resolve) => {
      child.once("close", (code) => resolve(code === null ? {} : { code }));
    });
    const destroy = () => {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    };
    return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, closed, destroy };
  };

const identity = { host: "cp1", loginUser: "me" };
const options = { timeoutMs: 5_000 };

describe("starting a shell", () => {
  it("passes over what login scripts print", async () => {
    const open = login(`echo "Welcome!"; echo "motd" >&2; exec /bin/sh -c "$1"`);
    const { pipe, pid } = await launch(open, identity, options);
    expect(pid).toBeGreaterThan(1);
    pipe.destroy();
  });

  it("says why, in the host's words, when the login shell gives none", async () => {
    const open = login(`echo "This account is currently not available."; exit 1`);
    await expect(launch(open, identity, options)).rejects.toThrow(
      "No POSIX sh could be started on cp1: This account is currently not available.",
    );
  });

  it("does not wait for ever for a login script that asks something", async () => {
    const open = login("read -r answer; read -r answer; sleep 5");
    const began = Date.now();
    await expect(launch(open, identity, { timeoutMs: 300 })).rejects.toMatchObject({
      code: "PB_SHELL_FAILED",
    });
    expect(Date.now() - began).toBeLessThan(2_000);
  });

  it("tells a sudo that is not there from one that refuses", async () => {
    const missing = login(`echo "sh: 1: sudo: not found" >&2; exit 127`);
    await expect(launch(missing, identity, { ...options, as: "root" })).rejects.toMatchObject({
      code: "PB_SUDO_REFUSED",
      message: expect.stringContaining("sudo: not found"),
    });
    const needed = login(`echo "sudo: a password is required" >&2; exit 1`);
    await expect(launch(needed, identity, { ...options, as: "root" })).rejects.toMatchObject({
      code: "PB_SUDO_PASSWORD_NEEDED",
    });
  });

  it("gives up on a login script that prints without an end", async () => {
    const open = login("exec yes");
    await expect(launch(open, identity, options)).rejects.toMatchObject({
      code: "PB_SHELL_FAILED",
      message: expect.stringContaining("it greets in the wrong way"),
    });
  });

  it("tells the sudo password to sudo, and to no login script that asks in its place", async () => {
    const folder = mkdtempSync(join(tmpdir(), "asked-"));
    const asking = login(
      `hello=$(printf %s "$1" | grep -o '[0-9a-f]\\{24\\}' | head -n 1)
       printf '\\002%s' "$hello" >&2
       read -r answer
       printf '%s' "$hello:$answer" >${folder}/told`,
    );
    const who = { ...identity, sudoPassword: new Secret("planted-password") };
    const script = { text: "exec cat", args: [] };
    await expect(launch(asking, who, { ...options, script })).rejects.toMatchObject({
      code: "PB_SHELL_FAILED",
    });
    await expect.poll(() => readFileSync(join(folder, "told"), "utf8")).toMatch(/^[0-9a-f]{24}:$/);
    rmSync(folder, { recursive: true });
  });

  it("refuses an sh whose printf is a program: it would show secrets in the process list", async () => {
    const folder = mkdtempSync(join(tmpdir(), "printf-"));
    writeFileSync(join(folder, "env"), "enable -n printf\n");
    writeFileSync(join(folder, "sh"), `#!/bin/sh\nBASH_ENV=${folder}/env exec bash "$@"\n`, {
      mode: 0o755,
    });
    // By its path: a shell that looks along PATH goes on to the next one where this one cannot be started.
    const open = login(`eval "exec ${folder}/sh \${1#exec sh}"`);
    await expect(launch(open, identity, options)).rejects.toThrow(
      "No POSIX sh could be started on cp1: its sh has no printf of its own.",
    );
    rmSync(folder, { recursive: true });
  });
});
