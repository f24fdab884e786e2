import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { zstdDecompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { packed } from "#lab/artifacts/archive.ts";
import { blobPath, writeImage } from "#lab/images/oci.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const content = (text: string) => ({
  arch: "amd64" as const,
  config: { Entrypoint: ["/pause"] },
  layers: [packed([{ name: "pause", mode: 0o755, content: text }])],
});

const sha256 = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

test("the same content is the same image, other content is another", async () => {
  await using one = await scratchFolder();
  await using two = await scratchFolder();
  const first = await writeImage(one.dir, content("program"));
  expect(await writeImage(two.dir, content("program"))).toEqual(first);
  expect((await writeImage(two.dir, content("other"))).digest).not.toBe(first.digest);
});

test("every digest and size is that of the bytes it names", async () => {
  await using scratch = await scratchFolder();
  const descriptor = await writeImage(scratch.dir, content("program"));
  const blob = async (digest: string) => {
    const bytes = await readFile(blobPath(scratch.dir, digest));
    expect(sha256(bytes)).toBe(digest);
    return bytes;
  };
  const manifest = JSON.parse((await blob(descriptor.digest)).toString());
  const config = JSON.parse((await blob(manifest.config.digest)).toString());
  const layer = await blob(manifest.layers[0].digest);
  expect(layer.length).toBe(manifest.layers[0].size);
  expect(config.rootfs.diff_ids).toEqual([sha256(zstdDecompressSync(layer))]);
  expect(config).toMatchObject({ os: "linux", architecture: "amd64" });
});
