import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { script } from "#engine/index.ts";
import { CLEAR, FETCH, STATE, UNPACK } from "#modules/remote-file/scripts.ts";
import { execute } from "../../support/execute.ts";

const sha = (text: string) => createHash("sha256").update(text).digest("hex");
const served: Record<string, string> = {
  "/v1/tool": "tool one\n",
  "/v1/tool.sha256": sha("tool one\n"),
  "/v1/SHA256SUMS": `${sha("x")}  other\n${sha("tool one\n")} *tool\n`,
  "/v1/wrong.sha256": sha("x"),
};
let server: Server;
let base: string;
let folder: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const body = served[request.url ?? ""];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
  base = `http://[::1]:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "remote-file-"));
});
afterEach(() => rm(folder, { recursive: true }));

const fetchTool = (sum: string, sums: string, record = "") => {
  const to = join(folder, "bin/tool");
  return execute(script(FETCH, `${base}/v1/tool`, sum, sums, to, "0755", "root:root", record));
};

describe("remote-file-fetch", () => {
  test("puts the file in place with its mode once the checksum agreed", async () => {
    expect(await fetchTool(sha("tool one\n"), "")).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, "bin/tool"), "utf8")).toBe("tool one\n");
    expect((await stat(join(folder, "bin/tool"))).mode & 0o777).toBe(0o755);
  });

  test.each(["tool.sha256", "SHA256SUMS"])("takes the checksum from %s", async (sums) => {
    const record = join(folder, "records/tool");
    expect(await fetchTool("", `${base}/v1/${sums}`, record)).toMatchObject({ code: 0 });
    const state = await execute(script(STATE, join(folder, "bin"), record));
    expect(state.stdout.split("\n").slice(1)).toEqual([
      `${base}/v1/tool`,
      sha("tool one\n"),
      "",
      "",
      "",
    ]);
  });

  test("a wrong checksum leaves nothing behind and says both", async () => {
    const result = await fetchTool("", `${base}/v1/wrong.sha256`);
    expect(result.code).toBe(65);
    expect(result.stderr).toContain(`is ${sha("tool one\n")}, expected ${sha("x")}`);
    expect((await execute({ argv: ["ls", "-A", join(folder, "bin")] })).stdout).toBe("");
  });

  test("an address that answers 404 is an error that names it", async () => {
    const result = await fetchTool("", `${base}/v1/none.sha256`);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/404|none\.sha256/);
  });
});

describe("remote-file-unpack", () => {
  const pack = async (version: string, files: Record<string, string>) => {
    const source = join(folder, `source-${version}/top`);
    await mkdir(join(source, "lib"), { recursive: true });
    for (const [path, text] of Object.entries(files)) await writeFile(join(source, path), text);
    const archive = join(folder, `${version}.tar`);
    await execute({
      argv: ["tar", "-C", join(folder, `source-${version}`), "-czf", archive, "top"],
    });
    return archive;
  };
  const unpack = (archive: string) =>
    execute(
      script(UNPACK, archive, join(folder, "to"), 1, join(folder, "record"), "http://x/y", "[1]"),
    );
  const list = async () =>
    (await execute({ argv: ["find", join(folder, "to"), "-type", "f", "-printf", "%P\n"] })).stdout
      .split("\n")
      .filter(Boolean)
      .sort();
  const state = async () =>
    (await execute(script(STATE, join(folder, "to"), join(folder, "record")))).stdout.split("\n");

  test("a newer archive removes what the older one left, and a changed file is noticed", async () => {
    const first = await pack("one", { a: "a1", ab: "ab", "lib/with space": "s" });
    expect(await unpack(first)).toMatchObject({ code: 0, stderr: "" });
    expect(await list()).toEqual(["a", "ab", "lib/with space"]);
    expect((await state())[3]).toBe("");

    await writeFile(join(folder, "to/lib/with space"), "other");
    expect((await state())[3]).toBe("./lib/with space: FAILED");

    await writeFile(join(folder, "to/foreign"), "stays");
    expect(await unpack(await pack("two", { ab: "a2" }))).toMatchObject({ code: 0, stderr: "" });
    expect(await list()).toEqual(["ab", "foreign"]);
    expect((await state())[3]).toBe("");

    await execute(script(CLEAR, join(folder, "to"), join(folder, "record")));
    expect(await list()).toEqual(["foreign"]);
  });

  test("a link that was deleted is noticed, and one that a newer archive lacks goes away", async () => {
    const links = async () =>
      (await execute({ argv: ["find", join(folder, "to"), "-type", "l", "-printf", "%P %l\n"] }))
        .stdout;
    const source = join(folder, "source-one/top");
    await mkdir(source, { recursive: true });
    await symlink("a", join(source, "to a"));
    await symlink("../else where", join(source, "b"));
    expect(await unpack(await pack("one", { a: "a1" }))).toMatchObject({ code: 0, stderr: "" });
    expect((await state()).slice(3)).toEqual(["", "[1]", ""]);
    await rm(join(folder, "to/to a"));
    expect((await state())[3]).toBe("./to a");
    await symlink("b", join(folder, "to/to a"));
    expect((await state())[3]).toBe("./to a");
    await unpack(await pack("one", { a: "a1" }));
    expect(await links()).toContain("to a a\n");
    expect(await unpack(await pack("two", { a: "a1" }))).toMatchObject({ code: 0, stderr: "" });
    expect(await links()).toBe("");
    await unpack(await pack("one", { a: "a1" }));
    await execute(script(CLEAR, join(folder, "to"), join(folder, "record")));
    expect(await links()).toBe("");
  });

  test("names that a record cannot hold are refused before anything is in place", async () => {
    const odd = await unpack(await pack("odd", { "two\nlines": "x" }));
    expect(odd).toMatchObject({ code: 65, stderr: expect.stringContaining("control character") });
    expect(await list()).toEqual([]);
  });

  test("a broken archive changes nothing", async () => {
    await unpack(await pack("one", { a: "a1" }));
    const broken = join(folder, "broken.tar");
    await writeFile(broken, "no archive");
    expect((await unpack(broken)).code).not.toBe(0);
    expect(await list()).toEqual(["a"]);
    expect((await state())[3]).toBe("");
  });
});
