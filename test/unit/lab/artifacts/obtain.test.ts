import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PlaybookError } from "#engine/errors/error.ts";
import type { Artifact } from "#lab/artifacts/artifact.ts";
import { obtain, type Supply } from "#lab/artifacts/obtain.ts";
import { givenSource, type Source, upstreamSource } from "#lab/artifacts/source.ts";
import { mirrorServer } from "#lab/mirror/server.ts";
import type { LabProgress } from "#lab/progress.ts";
import { listening, scratchFolder } from "../../../support/scratch.ts";

const PATH = "dl.example.org/release/v1/kubeadm";
const { signal } = new AbortController();
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const release = (content: string, promised = sha256(content)) => ({
  [PATH]: content,
  [`${PATH}.sha256`]: promised,
});

const artifact = (change: Partial<Artifact> = {}): Artifact => ({
  name: "kubeadm",
  version: "v1",
  files: [{ path: PATH, checksums: `${PATH}.sha256` }],
  released: true,
  buildMs: 1234,
  build: (_, dir) => writeFile(join(dir, PATH), "built"),
  ...change,
});

const supply = (home: string, sources: readonly Source[]): Supply & { told: LabProgress[] } => {
  const told: LabProgress[] = [];
  return { home, sources, signal, arch: "amd64", report: (progress) => told.push(progress), told };
};

const content = async (dir: string) => readFile(join(dir, PATH), "utf8");

const upstreamAt = (url: string) => upstreamSource(signal, (path) => new URL(path, url));

test("a given folder goes before the official release", async () => {
  await using scratch = await scratchFolder();
  await using given = await scratchFolder();
  await using published = await scratchFolder();
  await given.write(release("from the folder"));
  await published.write(release("official"));
  await using upstream = await listening(mirrorServer(published.dir));
  const sources = [await givenSource(given.dir, signal), upstreamAt(upstream.url)];
  const { entry } = await obtain(artifact(), supply(scratch.dir, sources));
  expect(await content(entry.dir)).toBe("from the folder");
  expect(entry.source).toBe(given.dir);
});

test("a given mirror works as a folder does", async () => {
  await using scratch = await scratchFolder();
  await using given = await scratchFolder();
  await given.write(release("from the mirror"));
  await using mirror = await listening(mirrorServer(given.dir));
  const { entry } = await obtain(
    artifact(),
    supply(scratch.dir, [await givenSource(mirror.url, signal)]),
  );
  expect(await content(entry.dir)).toBe("from the mirror");
});

test("what the given folder lacks comes from the official release", async () => {
  await using scratch = await scratchFolder();
  await using given = await scratchFolder();
  await using published = await scratchFolder();
  await published.write(release("official"));
  await using upstream = await listening(mirrorServer(published.dir));
  const from = supply(scratch.dir, [
    await givenSource(given.dir, signal),
    upstreamAt(upstream.url),
  ]);
  const { entry } = await obtain(artifact(), from);
  expect(await content(entry.dir)).toBe("official");
  expect(from.told.map(({ type, label }) => `${type} ${label}`)).toEqual([
    "started download kubeadm v1",
    "done download kubeadm v1",
  ]);
});

test("what no source has is built, with the time it is expected to take", async () => {
  await using scratch = await scratchFolder();
  await using published = await scratchFolder();
  await using upstream = await listening(mirrorServer(published.dir));
  const from = supply(scratch.dir, [upstreamAt(upstream.url)]);
  const { entry } = await obtain(artifact(), from);
  expect(await content(entry.dir)).toBe("built");
  expect(await readFile(join(entry.dir, `${PATH}.sha256`), "utf8")).toContain(sha256("built"));
  expect(from.told[0]).toEqual({ type: "started", label: "build kubeadm v1", expectedMs: 1234 });
  const next = supply(scratch.dir, []);
  await obtain(artifact({ version: "v2" }), next);
  expect(next.told[0]).toMatchObject({ expectedMs: expect.any(Number) });
  expect(next.told[0]).not.toMatchObject({ expectedMs: 1234 });
});

test("what is cached is neither asked for nor built", async () => {
  await using scratch = await scratchFolder();
  await obtain(artifact(), supply(scratch.dir, []));
  const from = supply(scratch.dir, []);
  const never = artifact({ build: () => Promise.reject(new Error("built again")) });
  const { entry } = await obtain(never, from);
  expect(entry.cached).toBe(true);
  expect(from.told).toMatchObject([{ type: "done", label: "kubeadm v1", cached: true }]);
});

test("a wrong checksum is refused, and nothing takes the file's place", async () => {
  await using scratch = await scratchFolder();
  await using given = await scratchFolder();
  await given.write(release("tampered", sha256("original")));
  const from = supply(scratch.dir, [await givenSource(given.dir, signal)]);
  await expect(obtain(artifact(), from)).rejects.toMatchObject({ code: "PB_ARTIFACT_CHECKSUM" });
  expect(from.told.at(-1)).toMatchObject({ type: "failed", label: "download kubeadm v1" });
});

test("a host that refuses is asked once", async () => {
  await using scratch = await scratchFolder();
  let asked = 0;
  await using upstream = await listening(
    createServer((_, response) => {
      asked += 1;
      response.writeHead(403).end();
    }),
  );
  const from = supply(scratch.dir, [upstreamAt(upstream.url)]);
  await obtain(artifact(), from);
  await obtain(artifact({ name: "kubelet" }), from);
  expect(asked).toBe(1);
});

test("a download that breaks off leaves the next source", async () => {
  await using scratch = await scratchFolder();
  await using upstream = await listening(
    createServer((request, response) => {
      if (request.url?.endsWith(".sha256")) return void response.end(sha256("whole"));
      response.writeHead(200, { "content-length": 1000 });
      response.write("half", () => response.destroy());
    }),
  );
  const { entry } = await obtain(artifact(), supply(scratch.dir, [upstreamAt(upstream.url)]));
  expect(await content(entry.dir)).toBe("built");
});

test("what upstream does not publish as files is not asked for there", async () => {
  await using scratch = await scratchFolder();
  await using published = await scratchFolder();
  await published.write(release("official"));
  await using upstream = await listening(mirrorServer(published.dir));
  const from = supply(scratch.dir, [upstreamAt(upstream.url)]);
  const { entry } = await obtain(artifact({ released: false }), from);
  expect(await content(entry.dir)).toBe("built");
});

test("when the build fails too, the error names every source and why", async () => {
  await using scratch = await scratchFolder();
  await using given = await scratchFolder();
  const from = supply(scratch.dir, [await givenSource(given.dir, signal)]);
  const failing = artifact({
    build: () => Promise.reject(new PlaybookError("PB_GO_UNUSABLE", ["there is no go", "kubeadm"])),
  });
  await expect(obtain(failing, from)).rejects.toMatchObject({
    code: "PB_ARTIFACT_UNAVAILABLE",
    message: expect.stringMatching(/no dl\.example\.org.*there is no go/s),
  });
});

test.each([
  ["a folder that is not there", "/nowhere/at/all", /not there/],
  ["a file", new URL(import.meta.url).pathname, /no folder/],
  ["a mirror that does not answer", "http://[::1]:9/", /out of reach/],
])("%s is an error at once", async (_, from, why) => {
  await expect(givenSource(from, signal)).rejects.toMatchObject({
    code: "PB_ARTIFACT_SOURCE",
    message: expect.stringMatching(why),
  });
});
