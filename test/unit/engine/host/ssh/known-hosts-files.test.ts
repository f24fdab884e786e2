import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { hashedName } from "#engine/host/ssh/known-hosts.ts";
import { KnownHostsFiles } from "#engine/host/ssh/known-hosts-files.ts";
import { scratchFolder } from "../../../../support/scratch.ts";

const scratch = await scratchFolder();
const folder = scratch.dir;
const file = join(folder, "known_hosts");
afterAll(() => scratch[Symbol.asyncDispose]());
let written = 0;

/** Written at a time of its own: two writes of one test may fall into the same tick of the file system. */
function write(...lines: string[]): void {
  writeFileSync(file, lines.map((line) => `${line} ssh-ed25519 KEY${line.length}\n`).join(""));
  written += 1;
  utimesSync(file, written, written);
}
const places = async (files: KnownHostsFiles, ...names: string[]) =>
  (await files.entriesFor(names, [file])).map(({ at }) => Number(at.split(":").at(-1)));

beforeEach(() => rmSync(file, { force: true }));

describe("entries of known_hosts files", () => {
  it("are found by any name that they hold, in the order in which they stand", async () => {
    const files = new KnownHostsFiles();
    write("other", "A.example,2001:db8::1", "*.example", hashedName("a.example"), "!a.example,*");
    expect(await places(files, "a.example")).toEqual([2, 3, 4]);
    expect(await places(files, "2001:db8::1", "other")).toEqual([1, 2, 5]);
    expect(await places(files, "nobody")).toEqual([5]);
  });

  it("are none where there is no file, until there is one", async () => {
    const files = new KnownHostsFiles();
    expect(await places(files, "a")).toEqual([]);
    write("a");
    expect(await places(files, "a")).toEqual([1]);
  });

  it("are read again once the file was changed", async () => {
    const files = new KnownHostsFiles();
    write("a", "b");
    expect(await places(files, "b")).toEqual([2]);
    write("b", "a");
    expect(await places(files, "b")).toEqual([1]);
  });

  it("say which file cannot be read", async () => {
    const reading = new KnownHostsFiles().entriesFor(["a"], [folder]);
    await expect(reading).rejects.toMatchObject({ code: "PB_KNOWN_HOSTS_UNUSABLE" });
  });

  it("of two thousand hosts are found for each of them without walking the file each time", async () => {
    const files = new KnownHostsFiles();
    const names = Array.from({ length: 2000 }, (_, index) => `host-${index}`);
    write(...names);
    const all = await Promise.all(names.map((name) => places(files, name)));
    expect(all.map(([place]) => place)).toEqual(names.map((_, index) => index + 1));
  });
});
