import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type LabArtifact, labArtifacts } from "#lab/artifacts/catalog/all.ts";
import { writeRecord } from "#lab/artifacts/entry-record.ts";
import { buildImages } from "#lab/images/images.ts";
import { labVersions } from "#lab/versions.ts";
import { scratchFolder } from "../../../support/scratch.ts";

const PAUSE = "registry.k8s.io/pause:3.10.2";

const { signal } = new AbortController();

type Scratch = Awaited<ReturnType<typeof scratchFolder>>;

/** Programs that are scripts: kubeadm and agnhost print what they are asked for. */
async function ingredients(scratch: Scratch, kubernetesImage: string, pause = "sleep") {
  const programs = Object.entries(labArtifacts(labVersions, "amd64")).map(
    async ([name, artifact]) => {
      const path = artifact.files[0]!.path;
      const prints = name === "kubeadm" ? kubernetesImage : "app version 2.63.0";
      const content = name === "pause" ? pause : `#!/bin/sh\necho '${prints}'\n`;
      const dir = join(scratch.dir, "programs", name);
      await scratch.write({ [join("programs", name, path)]: content });
      await chmod(join(dir, path), 0o755);
      const record = await writeRecord(dir, { source: "a test", ms: 0 });
      return [name, { artifact, entry: { ...record, dir, cached: true } }] as const;
    },
  );
  const byName = Object.fromEntries(await Promise.all(programs));
  return {
    home: scratch.dir,
    arch: "amd64" as const,
    signal,
    report: () => {},
    programs: byName as Record<LabArtifact, (typeof byName)[string]>,
  };
}

test("makes the images that kubeadm and agnhost name, and flannel's", async () => {
  await using scratch = await scratchFolder();
  const images = await buildImages(await ingredients(scratch, PAUSE), labVersions);
  expect(Object.keys(images)).toEqual([
    PAUSE,
    "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
    `ghcr.io/flannel-io/flannel:${labVersions.flannel}`,
  ]);
});

test("another program makes another image; the same one makes none", async () => {
  await using scratch = await scratchFolder();
  const first = await buildImages(await ingredients(scratch, PAUSE), labVersions);
  const again = await buildImages(await ingredients(scratch, PAUSE), labVersions);
  const changed = await buildImages(await ingredients(scratch, PAUSE, "snore"), labVersions);
  expect(again).toEqual(first);
  expect(changed[PAUSE]!.manifest.digest).not.toBe(first[PAUSE]!.manifest.digest);
});

test.each(["registry.k8s.io/coredns/coredns:v9.9.9", "registry.k8s.io/etcd:9.9.9-0"])(
  "%s is not made from another version",
  async (ref) => {
    await using scratch = await scratchFolder();
    await expect(buildImages(await ingredients(scratch, ref), labVersions)).rejects.toMatchObject({
      code: "PB_LAB_VERSIONS",
      message: expect.stringContaining(ref),
    });
  },
);
