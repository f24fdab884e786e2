import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { linkMirror } from "#lab/artifacts/mirror-tree.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const PATH = "dl.k8s.io/release/v1/kubeadm";

const entryOf = (dir: string) => ({
  dir,
  source: "",
  ms: 0,
  cached: true,
  files: { [PATH]: { sha256: "", size: 1, mtimeMs: 0 } },
});

test("files of entries stand in one tree, at no cost, and are replaced when made anew", async () => {
  await using cache = await scratchFolder();
  await using mirror = await scratchFolder();
  await cache.write({ [PATH]: "one" });
  await linkMirror(mirror.dir, [entryOf(cache.dir)]);
  await linkMirror(mirror.dir, [entryOf(cache.dir)]);
  expect((await stat(join(mirror.dir, PATH))).nlink).toBe(2);
  await rm(join(cache.dir, PATH));
  await cache.write({ [PATH]: "two" });
  await linkMirror(mirror.dir, [entryOf(cache.dir)]);
  expect(await readFile(join(mirror.dir, PATH), "utf8")).toBe("two");
  expect(await readdir(join(mirror.dir, "dl.k8s.io/release/v1"))).toEqual(["kubeadm"]);
});
