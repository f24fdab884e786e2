import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import { inlineScript, script, sh, withStdin } from "#engine/host/command.ts";
import type { CallOptions, Connection } from "#engine/host/connection.ts";

const code = (value: string) => expect.objectContaining({ code: value });

/** What only a real sh can show. */
export function onRealShell(
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

    it("survives an inline script, which gets its arguments as they are and no input", async () => {
      const words = ["a'b", "$HOME", "a\nb", ""];
      const told = inlineScript(`cat; printf '%s|' "$@"; echo err >&2; exit 4 # end`, ...words);
      const answer = { code: 4, stdout: "a'b|$HOME|a\nb||", stderr: "err\n" };
      expect(await host().run(told, who)).toEqual(answer);
      expect(await host().run(told, { ...who, long: true })).toEqual(answer);
      await host().run(inlineScript("cd /tmp; exec >/dev/null 2>&1; umask 0; x=1; set -eu"), who);
      expect((await host().run(inlineScript('pwd; umask; echo "$#$x"'), who)).stdout).toBe(
        "/\n0022\n0\n",
      );
    });

    it("refuses a command that is no script in place of an inline one", async () => {
      const wrong = { ...sh`echo x`, inline: true } as const;
      await expect(host().run(wrong, who)).rejects.toThrow("echo is no script to run inline");
    });

    it.each([
      ["a", script],
      ["an inline", inlineScript],
    ])("ends the children of %s script that passes its deadline", async (_, scripted) => {
      const mark = `6${String(Date.now()).slice(-6)}`;
      const call = host().run(scripted(`sleep ${mark} & sleep ${mark}; echo never`), {
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

    it("reads what lies behind a symlink, and what has no size, also among others", async () => {
      const at = (file: string) => `${folder}/${file}`;
      const odd = at("a'b\n-c");
      await run('printf real >"$1"; ln -sf "$1" "$2"; mkfifo "$3"', odd, at("link"), at("pipe"));
      const [real, link, linkStat, version, pipe] = await Promise.all([
        host().readFile(odd, who),
        host().readFile(at("link"), who),
        host().stat(at("link"), who),
        host().readFile("/proc/version", who),
        host().stat(at("pipe"), who),
      ]);
      expect([String(real), String(link)]).toEqual(["real", "real"]);
      expect(linkStat).toMatchObject({ kind: "symlink", target: odd });
      expect(String(version)).toMatch(/^Linux version/);
      expect(pipe).toMatchObject({ kind: "other" });
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
