import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import { script, sh, withStdin } from "#engine/host/command.ts";
import type { CallOptions, Connection } from "#engine/host/connection.ts";

export interface ConformanceOptions {
  readonly connect: () => Promise<Connection>;
  /** An absolute folder on the host that the user may write. */
  readonly folder: string;
  /** Who does the calls; the login user unless given. */
  readonly as?: string;
  /** The name that files get which that user writes. */
  readonly owner: string;
  /** False for the fake, whose programs are functions: what needs a real sh is left to the others. */
  readonly realShell: boolean;
}

const code = (value: string) => expect.objectContaining({ code: value });

/** What every transport has to do alike. */
export function conformance(name: string, options: ConformanceOptions): void {
  const { folder, owner } = options;
  const who: CallOptions = options.as === undefined ? {} : { as: options.as };
  const path = (file: string) => `${folder}/${file}`;

  // The machine may be busy, and every write waits for its disk.
  describe(`${name} conforms`, { timeout: 30_000 }, () => {
    let host: Connection;
    let local: string;
    beforeAll(async () => {
      local = mkdtempSync(join(tmpdir(), "conformance-"));
      host = await options.connect();
      await host.run(sh`mkdir -p ${folder}`, who);
    });
    afterAll(async () => {
      await host.run(sh`rm -rf ${folder}`, who);
      await host.close();
      rmSync(local, { recursive: true, force: true });
    });

    describe("run", () => {
      it("answers with exit code, stdout and stderr, nothing trimmed", async () => {
        expect(await host.run(sh`echo ${"  two words  "}`, who)).toEqual({
          code: 0,
          stdout: "  two words  \n",
          stderr: "",
        });
      });

      it("passes arguments as they are, whatever a shell would make of them", async () => {
        const words = ["a'b", '"', "$HOME", "`id`", "*", "\\n", "a\nb", "é€😀", "-n;", ""];
        const { stdout } = await host.run(
          { argv: ["printf", "%s|".repeat(words.length), ...words] },
          who,
        );
        expect(stdout).toBe(words.map((word) => `${word}|`).join(""));
      });

      it("takes a non-zero exit code as an answer", async () => {
        expect((await host.run(sh`false`, who)).code).toBe(1);
      });

      it("answers 127 for a program that is not there", async () => {
        const { code, stderr } = await host.run(sh`no-such-program --flag`, who);
        expect({ code, named: stderr.includes("no-such-program") }).toEqual({
          code: 127,
          named: true,
        });
      });

      it("gives the command its stdin, bytes and secrets alike, and end of file where there is none", async () => {
        expect((await host.run(withStdin(sh`cat`, "text without newline"), who)).stdout).toBe(
          "text without newline",
        );
        expect((await host.run(withStdin(sh`cat`, Buffer.from([65, 0, 66])), who)).stdout).toBe(
          "A\0B",
        );
        expect((await host.run(withStdin(sh`cat`, new Secret("hunter22")), who)).stdout).toBe(
          "hunter22",
        );
        expect((await host.run(sh`cat`, who)).stdout).toBe("");
      });

      it("sets environment and working directory for this call only", async () => {
        const told = await host.run({ argv: ["env"], env: { GREETING: "a 'b' $c" } }, who);
        expect(told.stdout).toContain("GREETING=a 'b' $c\n");
        expect((await host.run({ argv: ["pwd"], cwd: folder }, who)).stdout).toBe(`${folder}\n`);
        const after = await host.run(sh`env`, who);
        expect(after.stdout).not.toContain("GREETING");
        expect((await host.run(sh`pwd`, who)).stdout).toBe("/\n");
      });

      it("does not run in another folder when the wanted one is missing", async () => {
        expect((await host.run({ argv: ["pwd"], cwd: "/no/such/folder" }, who)).code).toBe(126);
      });

      it("answers calls of one tick each with its own output", async () => {
        const numbers = Array.from({ length: 50 }, (_, index) => index);
        const replies = await Promise.all(numbers.map((n) => host.run(sh`echo ${n}`, who)));
        expect(replies.map(({ stdout }) => Number(stdout))).toEqual(numbers);
      });

      it("ends a call that passes its deadline", async () => {
        await expect(host.run(sh`sleep 60`, { ...who, timeoutMs: 300 })).rejects.toEqual(
          code("PB_TIMEOUT"),
        );
        expect((await host.run(sh`echo alive`, who)).stdout).toBe("alive\n");
      });

      it("ends a call that is aborted", async () => {
        const abort = new AbortController();
        const call = host.run(sh`sleep 60`, { ...who, signal: abort.signal });
        setImmediate(() => abort.abort());
        await expect(call).rejects.toEqual(code("PB_INTERRUPTED"));
      });

      it("does not keep short calls waiting behind a long one", async () => {
        const long = host.run(sh`sleep 0.7`, { ...who, long: true });
        const first = await Promise.race([
          long.then(() => "long"),
          host.run(sh`echo`, who).then(() => "short"),
        ]);
        expect(first).toBe("short");
        expect((await long).code).toBe(0);
      });
    });

    describe("files", () => {
      it("finds nothing where nothing is", async () => {
        expect(await host.readFile(path("none"), who)).toBeUndefined();
        expect(await host.stat(path("none"), who)).toBeUndefined();
        expect(await host.readFile("/no/such/folder/x", who)).toBeUndefined();
      });

      it.each([
        ["empty", Buffer.alloc(0)],
        ["text", Buffer.from("no newline at the end")],
        ["bytes", Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256))],
        ["256 KiB", Buffer.alloc(256 * 1024, "0123456789abcdef\0")],
        ["1 MiB", Buffer.alloc(1024 * 1024, "x\n")],
      ])("reads back what it wrote: %s", async (label, content) => {
        const file = path(`back-${label.replace(" ", "-")}`);
        await host.writeFile(file, content, who);
        const back = await host.readFile(file, who);
        expect(back?.equals(content)).toBe(true);
        expect(await host.stat(file, who)).toEqual({
          kind: "file",
          mode: 0o644,
          owner,
          group: owner,
          size: content.length,
        });
      });

      it("sets the mode, and replaces content and mode later", async () => {
        await host.writeFile(path("mode"), Buffer.from("1"), { ...who, mode: 0o600 });
        expect(await host.stat(path("mode"), who)).toMatchObject({ mode: 0o600, size: 1 });
        await host.writeFile(path("mode"), Buffer.from("22"), { ...who, mode: 0o755 });
        expect(await host.stat(path("mode"), who)).toMatchObject({ mode: 0o755, size: 2 });
      });

      it("tells folders from files", async () => {
        expect(await host.stat(folder, who)).toMatchObject({ kind: "directory" });
        await expect(host.readFile(folder, who)).rejects.toEqual(code("PB_READ_FAILED"));
      });

      it("refuses to write over a folder, and says so", async () => {
        await expect(host.writeFile(folder, Buffer.from("x"), who)).rejects.toThrow(
          "Is a directory",
        );
      });

      it("refuses to write where no folder is, and says so", async () => {
        const call = host.writeFile(path("no/such/file"), Buffer.from("x"), who);
        await expect(call).rejects.toEqual(code("PB_WRITE_FAILED"));
        await expect(call).rejects.toThrow("No such file or directory");
      });

      it("takes names with spaces, quotes, newlines and a leading dash", async () => {
        for (const name of ["a b", "a'b", 'a"b', "a\nb", "-rf", "é€😀"]) {
          await host.writeFile(path(name), Buffer.from(name), who);
          expect(String(await host.readFile(path(name), who))).toBe(name);
          expect(await host.stat(path(name), who)).toMatchObject({ kind: "file" });
        }
      });

      it("uploads a file once, and only sets attributes when it is there", async () => {
        const from = join(local, "up");
        const content = Buffer.alloc(700_000, "upload");
        writeFileSync(from, content);
        expect(await host.upload(from, path("up"), who)).toBe(true);
        expect(await host.upload(from, path("up"), { ...who, mode: 0o755 })).toBe(false);
        expect(await host.stat(path("up"), who)).toMatchObject({
          mode: 0o755,
          size: content.length,
        });
        writeFileSync(from, "changed");
        expect(await host.upload(from, path("up"), who)).toBe(true);
        expect(String(await host.readFile(path("up"), who))).toBe("changed");
      });

      it("names a local file that cannot be uploaded", async () => {
        const call = host.upload(join(local, "none"), path("up"), who);
        await expect(call).rejects.toEqual(code("PB_LOCAL_FILE"));
      });

      it("downloads to a file that only this user reads", async () => {
        const content = Buffer.alloc(700_000, "down\0");
        await host.writeFile(path("down"), content, who);
        const to = join(local, "down");
        await host.download(path("down"), to, who);
        expect(readFileSync(to).equals(content)).toBe(true);
        expect(statSync(to).mode & 0o777).toBe(0o600);
        await expect(host.download(path("none"), to, who)).rejects.toEqual(code("PB_READ_FAILED"));
        expect(readFileSync(to).equals(content)).toBe(true);
      });
    });

    if (options.realShell) onRealShell(() => host, { who, folder });
  });
}

/** What only a real sh can show. */
function onRealShell(
  host: () => Connection,
  { who, folder }: { who: CallOptions; folder: string },
): void {
  const run = (text: string, ...args: string[]) => host().run(script(text, ...args), who);

  describe("a command cannot harm the shell that it shares", () => {
    it("takes stderr with exit code 0 as no error, and keeps it apart", async () => {
      expect(await run("echo out; echo err >&2; echo out2")).toEqual({
        code: 0,
        stdout: "out\nout2\n",
        stderr: "err\n",
      });
    });

    it("counts a signal as 128 + its number", async () => {
      expect((await run("kill -TERM $$")).code).toBe(143);
      expect((await run("kill -KILL $$")).code).toBe(137);
    });

    it("survives exit, cd, exec and redirections", async () => {
      expect((await run("exit 3")).code).toBe(3);
      await run("cd /tmp; exec >/dev/null 2>&1; umask 0; trap '' TERM; set -e; false");
      expect(await run("pwd; umask; echo err >&2")).toEqual({
        code: 0,
        stdout: "/\n0022\n",
        stderr: "err\n",
      });
    });

    it("finds programs named like builtins only where a program of that name is", async () => {
      expect((await host().run(sh`exit 3`, who)).code).toBe(127);
      expect((await host().run(sh`cd /`, who)).code).toBe(127);
    });

    it("lets no output pass for the end of a call", async () => {
      const { stdout } = await run(
        "head -c 300 /dev/urandom | od -An -tx1; printf '\\001%sE 0 0\\n' abc; echo x",
      );
      expect(stdout).toMatch(/\x01abcE 0 0\nx\n$/);
    });

    it("keeps NUL bytes and characters over chunk borders", async () => {
      const { stdout } = await run(
        "printf 'a\\000b'; i=0; while [ $i -lt 20000 ]; do printf 'é€😀'; i=$((i + 1)); done",
      );
      expect(stdout).toBe(`a\0b${"é€😀".repeat(20_000)}`);
    });

    it("takes 10 MiB of output, and refuses more than 16 MiB", async () => {
      const { stdout } = await run("head -c 10485760 /dev/zero | tr '\\000' x");
      expect(stdout.length).toBe(10_485_760);
      await expect(run("cat /dev/zero")).rejects.toEqual(code("PB_OUTPUT_TOO_LARGE"));
      expect((await run("echo alive")).stdout).toBe("alive\n");
    });

    it("neither waits for a background child nor lets it write into later output", async () => {
      const began = Date.now();
      const first = await run("while sleep 0.02; do echo NOISE; done & echo started");
      expect(first.stdout.split("\n")[0]).toBe("started");
      for (let index = 0; index < 20; index++)
        expect((await host().run(sh`echo ${index}`, who)).stdout).toBe(`${index}\n`);
      expect(Date.now() - began).toBeLessThan(5_000);
      await run(`for f in /proc/[0-9]*/cmdline; do
        case $(tr '\\000' ' ' <"$f" 2>/dev/null) in *"echo NOISE"*"done & echo started"*) p=\${f#/proc/}; kill "\${p%/cmdline}";; esac
      done`);
    });

    it("ends the children of a call that passes its deadline", async () => {
      const mark = `6${String(Date.now()).slice(-6)}`;
      const call = host().run(script(`sleep ${mark} & sleep ${mark}; echo never`), {
        ...who,
        timeoutMs: 300,
      });
      await expect(call).rejects.toMatchObject({
        code: "PB_TIMEOUT",
        context: { state: "its processes on the host were ended" },
      });
      const { stdout } = await run(`cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' '`);
      expect(stdout).not.toContain(`sleep ${mark}`);
    });

    it("never starts a call that was given up behind others, and answers those", async () => {
      const first = host().run(script('echo ran >>"$1"; sleep 2', `${folder}/first`), who);
      const second = host().run(sh`touch ${`${folder}/never`}`, { ...who, timeoutMs: 200 });
      const third = host().run(sh`echo third`, who);
      await expect(second).rejects.toMatchObject({
        code: "PB_TIMEOUT",
        context: { state: "it had not begun" },
      });
      expect((await first).code).toBe(0);
      expect((await third).stdout).toBe("third\n");
      expect(await host().stat(`${folder}/never`, who)).toBeUndefined();
      expect(String(await host().readFile(`${folder}/first`, who))).toBe("ran\n");
    });

    it("takes the next call elsewhere when one is slow", async () => {
      const slow = host().run(sh`sleep 2`, who);
      await new Promise((resolve) => setTimeout(resolve, 800));
      const first = await Promise.race([
        slow.then(() => "slow"),
        host()
          .run(sh`echo`, who)
          .then(() => "next"),
      ]);
      expect(first).toBe("next");
      await slow;
    });

    it("says nothing of stdin in any process list or environment", async () => {
      const look = script(
        "cat >/dev/null; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\000' ' '",
      );
      const planted = `planted${Date.now()}`;
      const { stdout } = await host().run(withStdin(look, new Secret(planted)), who);
      expect(stdout).not.toContain(planted);
      expect(stdout).not.toContain(Buffer.from(planted).toString("base64").slice(0, 12));
    });
  });

  describe("files on a real system", () => {
    it("shows a symlink as one, and replaces it rather than its target", async () => {
      await host().writeFile(`${folder}/target`, Buffer.from("old"), who);
      await run('ln -sfn target "$1/link"; ln -sfn nowhere "$1/dangling"', folder);
      expect(await host().stat(`${folder}/link`, who)).toMatchObject({
        kind: "symlink",
        target: "target",
      });
      expect(String(await host().readFile(`${folder}/link`, who))).toBe("old");
      expect(await host().readFile(`${folder}/dangling`, who)).toBeUndefined();
      expect(await host().stat(`${folder}/dangling`, who)).toMatchObject({ kind: "symlink" });
      await host().writeFile(`${folder}/link`, Buffer.from("new"), who);
      expect(await host().stat(`${folder}/link`, who)).toMatchObject({ kind: "file" });
      expect(String(await host().readFile(`${folder}/target`, who))).toBe("old");
    });

    it("leaves nothing behind when a write fails or is given up", async () => {
      await run('mkdir -p "$1/left"; mkfifo "$1/fifo" 2>/dev/null; exit 0', folder);
      const nowhere = host().writeFile(`${folder}/left/no/file`, Buffer.alloc(400_000), who);
      await expect(nowhere).rejects.toEqual(code("PB_WRITE_FAILED"));
      const owner = host().writeFile(`${folder}/left/file`, Buffer.from("x"), {
        ...who,
        owner: "no-such-user",
      });
      await expect(owner).rejects.toEqual(code("PB_WRITE_FAILED"));
      expect((await run('ls -A "$1/left"', folder)).stdout).toBe("");
    });

    it("writes what sha256sum confirms, small and large", async () => {
      for (const size of [100_000, 3_000_000]) {
        const content = Buffer.alloc(size, "0123456789\r\n\0");
        await host().writeFile(`${folder}/sum`, content, who);
        const { stdout } = await host().run(sh`sha256sum ${`${folder}/sum`}`, who);
        expect(stdout.slice(0, 64)).toBe(createHash("sha256").update(content).digest("hex"));
      }
    });
  });
}
