import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import { sh, withStdin } from "#engine/host/command.ts";
import type { CallOptions, Connection } from "#engine/host/connection.ts";
import { partOf } from "#engine/host/shell/files.ts";
import { onRealShell } from "./conformance-shell.ts";

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
    /** Whose the user's files are, by name and by number. */
    let owned: { owner: string; group: string; uid: number; gid: number };
    beforeAll(async () => {
      local = mkdtempSync(join(tmpdir(), "conformance-"));
      host = await options.connect();
      owned = { owner, group: owner, ...(await idsOf(host, who)) };
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

    describe("close", () => {
      it.each([
        ["a shell that is there", true],
        ["one that is not there yet", false],
      ])("makes the last call, though nobody waits for it, in %s", async (_, isUsed) => {
        const made = path(`last-${isUsed}`);
        const leaving = await options.connect();
        if (isUsed) await leaving.run(sh`true`, who);
        await leaving.close({ ...who, command: sh`mkdir ${made}` });
        await vi.waitFor(async () => expect(await host.stat(made, who)).toBeDefined(), 10_000);
      });

      it("makes the last call though another was under way, which it ends", async () => {
        const made = path("last-beside");
        const leaving = await options.connect();
        await leaving.run(sh`true`, who);
        const ended = expect(leaving.run(sh`sleep 60`, who)).rejects.toEqual(
          code("PB_CONNECTION_LOST"),
        );
        await new Promise((resolve) => setImmediate(resolve));
        await leaving.close({ ...who, command: sh`mkdir ${made}` });
        await ended;
        await vi.waitFor(async () => expect(await host.stat(made, who)).toBeDefined(), 10_000);
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
          ...owned,
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

      it("tells each of many what it is, whatever the others of the tick are", async () => {
        const write = (file: string, text: string) =>
          host.writeFile(path(file), Buffer.from(text), { ...who, mode: 0o640 });
        await Promise.all([write("many-a", "a\0\n"), write("many-b", ""), write("many-c", "c")]);
        const [a, b, c, none, nowhere, there, folded] = await Promise.all([
          host.readFile(path("many-a"), who),
          host.readFile(path("many-b"), who),
          host.stat(path("many-c"), who),
          host.readFile(path("many-none"), who),
          host.stat("/no/such/folder/x", who),
          host.stat(folder, who),
          host.readFile(folder, who).catch((error: unknown) => error),
        ]);
        expect([String(a), String(b), none, nowhere]).toEqual(["a\0\n", "", undefined, undefined]);
        expect(c).toEqual({ kind: "file", mode: 0o640, ...owned, size: 1 });
        expect(there).toMatchObject({ kind: "directory" });
        expect(folded).toEqual(code("PB_READ_FAILED"));
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

      it.each([
        ["its start", (content: Buffer) => content.subarray(0, 2_000_000)],
        ["all of it", (content: Buffer) => content],
        ["something else", () => Buffer.alloc(2_000_000, "else")],
        ["more than there is", (content: Buffer) => Buffer.concat([content, content])],
      ])("uploads what is right, though an attempt that was cut left %s", async (_, left) => {
        const from = join(local, "cut");
        const content = randomBytes(3_500_000);
        writeFileSync(from, content);
        const file = path("cut/file");
        await host.run(sh`mkdir -p ${path("cut")}`, who);
        await host.writeFile(partOf(file), left(content), who);
        expect(await host.upload(from, file, { ...who, mode: 0o640 })).toBe(true);
        expect((await host.readFile(file, who))?.equals(content)).toBe(true);
        expect(await host.stat(file, who)).toMatchObject({ mode: 0o640, owner });
        expect(await host.stat(partOf(file), who)).toBeUndefined();
      });

      it("clears what a cut left of a file that is there", async () => {
        const from = join(local, "there");
        writeFileSync(from, "all of it");
        await host.upload(from, path("there"), who);
        await host.writeFile(partOf(path("there")), Buffer.from("all"), who);
        expect(await host.upload(from, path("there"), who)).toBe(false);
        expect(await host.stat(partOf(path("there")), who)).toBeUndefined();
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

      // A program that has exited before anybody reads what it said must not lose it.
      it("sends and fetches many small and empty files at once, each whole", async () => {
        const names = Array.from({ length: 20 }, (_, index) => `small-${index}`);
        const contentOf = (name: string) => (name.endsWith("7") ? "" : name.repeat(5));
        for (const name of names) writeFileSync(join(local, name), contentOf(name));
        await Promise.all(names.map((name) => host.upload(join(local, name), path(name), who)));
        const back = mkdtempSync(join(local, "back-"));
        await Promise.all(names.map((name) => host.download(path(name), join(back, name), who)));
        for (const name of names)
          expect(readFileSync(join(back, name), "utf8")).toBe(contentOf(name));
      });

      it("downloads a file once, and leaves alone what is there", async () => {
        const to = join(local, "once");
        await host.writeFile(path("once"), Buffer.from("as it is"), who);
        await host.download(path("once"), to, who);
        const { ino } = statSync(to);
        await host.download(path("once"), to, who);
        expect(statSync(to).ino).toBe(ino);
        await host.writeFile(path("once"), Buffer.from("as it WAS"), who);
        await host.download(path("once"), to, who);
        expect(readFileSync(to, "utf8")).toBe("as it WAS");
      });

      it.each([
        ["its start", (content: Buffer) => content.subarray(0, 2_000_000)],
        ["all of it", (content: Buffer) => content],
        ["something else", () => Buffer.alloc(2_000_000, "else")],
        ["more than there is", (content: Buffer) => Buffer.concat([content, content])],
      ])("downloads what is right, though an attempt that was cut left %s", async (_, left) => {
        const content = randomBytes(3_500_000);
        await host.writeFile(path("cut-down"), content, who);
        const folder = mkdtempSync(join(local, "cut-"));
        writeFileSync(join(folder, ".down.pb-part"), left(content), { mode: 0o600 });
        await host.download(path("cut-down"), join(folder, "down"), who);
        expect(readFileSync(join(folder, "down")).equals(content)).toBe(true);
        expect(readdirSync(folder)).toEqual(["down"]);
      });
    });

    if (options.realShell) onRealShell(() => host, { who, folder });
  });
}

/** Who somebody is to the host itself. */
async function idsOf(host: Connection, who: CallOptions): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(["-u", "-g"].map((flag) => host.run(sh`id ${flag}`, who)));
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
}
