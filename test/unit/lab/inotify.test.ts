import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type InotifyFiles, raiseInotify, restoreInotify } from "#lab/machine/inotify.ts";

let folder: string;
let files: Required<InotifyFiles>;
const value = async () => Number(await readFile(files.sysctl, "utf8"));
const hosts = async (...names: string[]) => {
  await rm(files.namespaces, { recursive: true, force: true });
  await mkdir(files.namespaces);
  for (const name of names) await writeFile(join(files.namespaces, name), "");
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-inotify-"));
  files = {
    labs: join(folder, "labs"),
    sysctl: join(folder, "max_user_instances"),
    namespaces: join(folder, "netns"),
  };
  await writeFile(files.sysctl, "128\n");
  await hosts();
});
afterEach(() => rm(folder, { recursive: true }));

describe("fs.inotify.max_user_instances", () => {
  it("stays as it is while it is enough", async () => {
    await raiseInotify(files, 3);
    expect(await value()).toBe(128);
    await restoreInotify(files);
    expect(await value()).toBe(128);
  });

  it("is raised for many hosts and put back when the last lab goes", async () => {
    await raiseInotify(files, 20);
    expect(await value()).toBe(512);
    await hosts("rpl.other.cp1", "rpl.other");
    await restoreInotify(files);
    expect(await value()).toBe(512);
    await hosts("rpl.other");
    await restoreInotify(files);
    expect(await value()).toBe(128);
    expect(await readdir(files.labs)).toEqual([]);
  });

  it("goes back to the first value after it was raised twice", async () => {
    await raiseInotify(files, 10);
    await hosts(...Array.from({ length: 10 }, (_, at) => `rpl.a.w${at}`));
    await raiseInotify(files, 30);
    expect(await value()).toBe(896);
    await hosts();
    await restoreInotify(files);
    expect(await value()).toBe(128);
  });

  it("is left alone when somebody else has changed it since", async () => {
    await raiseInotify(files, 20);
    await writeFile(files.sysctl, "8192\n");
    await restoreInotify(files);
    expect(await value()).toBe(8192);
  });
});
