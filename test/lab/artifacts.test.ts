import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { sh } from "#engine/host/command.ts";
import { type Artifacts, prepareArtifacts } from "#lab/artifacts/artifacts.ts";
import { cacheHome } from "#lab/artifacts/cache.ts";
import { run } from "#lab/machine/run.ts";
import { mirrorService } from "#lab/mirror/mirror.ts";
import type { LabProgress } from "#lab/progress.ts";
import { findPrunables } from "#lab/prune/prune.ts";
import { pushImages, registryName } from "#lab/registry/push.ts";
import { registryService } from "#lab/registry/registry.ts";
import type { LabService } from "#lab/service.ts";
import { labVersions } from "#lab/versions.ts";
import { listening } from "../support/scratch.ts";

/** Nothing cached, 2 cores: the longest that all builds were seen to take, and as much again. */
const COLD_MS = 40 * 60_000;
const ADDRESS = "::1";

let artifacts: Artifacts;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  artifacts = await prepare();
}, COLD_MS);

afterAll(async () => {
  for (const end of ends) await end();
});

const prepare = (report: (progress: LabProgress) => void = () => {}) =>
  prepareArtifacts({ versions: labVersions, report, signal: new AbortController().signal });

async function freePort(): Promise<number> {
  await using server = await listening(createServer());
  return server.port;
}

async function start(service: LabService): Promise<string> {
  const [program, ...args] = service.command;
  const env = { ...process.env, ...service.env };
  const child = spawn(program, args, { env, stdio: "ignore" });
  const gone = once(child, "exit");
  ends.push(async () => {
    child.kill("SIGTERM");
    await gone;
  });
  await vi.waitFor(async () => expect((await fetch(service.readyUrl)).ok).toBe(true), {
    timeout: 10_000,
    interval: 50,
  });
  return new URL(service.readyUrl).origin;
}

const sha256 = (bytes: ArrayBuffer) =>
  createHash("sha256").update(Buffer.from(bytes)).digest("hex");

async function download(url: string): Promise<ArrayBuffer> {
  const headers = { accept: "application/vnd.oci.image.manifest.v1+json, */*" };
  const answer = await fetch(url, { headers });
  expect(`${answer.status} ${url}`).toBe(`200 ${url}`);
  return answer.arrayBuffer();
}

test("what is prepared once is there at once the next time", async () => {
  const told: LabProgress[] = [];
  const began = performance.now();
  await prepare((progress) => told.push(progress));
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(told.filter((progress) => progress.type !== "done" || !progress.cached)).toEqual([]);
});

test("the mirror serves what upstream serves, with the checksums that upstream promises", async () => {
  const settings = { address: ADDRESS, port: await freePort(), dir: artifacts.mirrorDir };
  const mirror = await start(mirrorService(settings));
  const kubectl = `${mirror}/dl.k8s.io/release/${labVersions.kubernetes}/bin/linux/${arch}/kubectl`;
  const promised = Buffer.from(await download(`${kubectl}.sha256`)).toString();
  expect(sha256(await download(kubectl))).toBe(promised);
});

const arch = process.arch === "arm64" ? "arm64" : "amd64";

test("the registry gives every image back as it was made, and a second push sends nothing", async () => {
  const settings = { address: ADDRESS, port: await freePort(), dir: artifacts.registryDir };
  const registry = await start(registryService(settings));
  await pushImages(registry, artifacts.images, () => {});

  for (const { ref, manifest } of Object.values(artifacts.images)) {
    const { name, tag } = registryName(ref);
    const bytes = await download(`${registry}/v2/${name}/manifests/${tag}`);
    expect(`sha256:${sha256(bytes)}`).toBe(manifest.digest);
  }
  const pause = Object.values(artifacts.images).find(({ ref }) => ref.includes("/pause:"));
  const { name, tag } = registryName(pause!.ref);
  const manifest = JSON.parse(
    Buffer.from(await download(`${registry}/v2/${name}/manifests/${tag}`)).toString(),
  );
  for (const { digest } of [manifest.config, ...manifest.layers])
    expect(`sha256:${sha256(await download(`${registry}/v2/${name}/blobs/${digest}`))}`).toBe(
      digest,
    );

  const again: LabProgress[] = [];
  await pushImages(registry, artifacts.images, (progress) => again.push(progress));
  expect(again.map((progress) => progress.type === "done" && progress.cached)).toEqual(
    Object.keys(artifacts.images).map(() => true),
  );
});

test("what prune takes out of the registry is just the image that goes: all others are whole", async () => {
  const cache = cacheHome();
  const copy = await mkdtemp(join(dirname(cache), "run-playbook-prune-"));
  ends.push(() => rm(copy, { recursive: true }));
  const home = join(copy, "run-playbook");
  await mkdir(home);
  // Hard links: what is removed there stays here.
  for (const part of ["artifacts", "mirror", "registry"])
    await run(sh`cp -al ${join(cache, part)} ${join(home, part)}`);
  const env = { XDG_CACHE_HOME: copy, XDG_STATE_HOME: join(copy, "state") };
  const { items } = await findPrunables({ env, versions: { ...labVersions, flannel: "v99.0.0" } });
  expect(items.map(({ what }) => what)).toEqual([
    "images in the registry",
    `flanneld ${labVersions.flannel}`,
    expect.stringMatching(`^image-flannel ${labVersions.flannel}-`),
  ]);
  for (const item of items) {
    expect(item.bytes).toBeGreaterThan(1_000_000);
    expect(await item.remove()).toBe(true);
  }

  const settings = { address: ADDRESS, port: await freePort(), dir: join(home, "registry") };
  const registry = await start(registryService(settings));
  for (const { ref, manifest } of Object.values(artifacts.images)) {
    const { name, tag } = registryName(ref);
    const url = `${registry}/v2/${name}/manifests/${tag}`;
    if (name.includes("flannel")) {
      expect((await fetch(url)).status).toBe(404);
      continue;
    }
    const bytes = await download(url);
    expect(`sha256:${sha256(bytes)}`).toBe(manifest.digest);
    const { config, layers } = JSON.parse(Buffer.from(bytes).toString());
    for (const { digest } of [config, ...layers])
      expect(
        (await fetch(`${registry}/v2/${name}/blobs/${digest}`, { method: "HEAD" })).status,
      ).toBe(200);
  }
});

test("the images are those that kubeadm names, and what the proof and the network need", () => {
  expect(Object.keys(artifacts.images)).toEqual(
    expect.arrayContaining([
      `registry.k8s.io/kube-apiserver:${labVersions.kubernetes}`,
      `registry.k8s.io/coredns/coredns:${labVersions.coredns}`,
      expect.stringMatching(/^registry\.k8s\.io\/pause:/),
      expect.stringMatching(/^registry\.k8s\.io\/etcd:/),
      expect.stringMatching(/^registry\.k8s\.io\/e2e-test-images\/agnhost:/),
      `ghcr.io/flannel-io/flannel:${labVersions.flannel}`,
    ]),
  );
});
