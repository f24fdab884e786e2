import { createServer, type RequestListener } from "node:http";
import { expect, test } from "vitest";
import { packed } from "#lab/artifacts/archive.ts";
import { writeImage } from "#lab/images/oci.ts";
import type { LabProgress } from "#lab/progress.ts";
import { pushImages } from "#lab/registry/push.ts";
import { listening, scratchFolder } from "../../../support/scratch.ts";

const REF = "registry.k8s.io/pause:3.10.2";

async function image(dir: string) {
  const layers = [packed([{ name: "pause", mode: 0o755, content: "program" }])];
  const manifest = await writeImage(dir, { arch: "amd64", config: {}, layers });
  return { [REF]: { ref: REF, dir, manifest } };
}

const recording = (answer: RequestListener) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split("?")[0]}`);
    answer(request, response);
  });
  return { server, asked };
};

test("an image that the registry has is not sent", async () => {
  await using scratch = await scratchFolder();
  const images = await image(scratch.dir);
  const { server, asked } = recording((_, response) => {
    response.setHeader("docker-content-digest", images[REF]!.manifest.digest);
    response.end();
  });
  await using registry = await listening(server);
  const told: LabProgress[] = [];
  await pushImages(registry.url, images, (progress) => told.push(progress));
  expect(asked).toEqual(["HEAD /v2/pause/manifests/3.10.2"]);
  expect(told).toMatchObject([{ type: "done", cached: true }]);
});

test("a blob that the registry has is not sent again for a new tag", async () => {
  await using scratch = await scratchFolder();
  const { server, asked } = recording(({ method, url }, response) => {
    const manifest = url?.includes("/manifests/");
    response.writeHead(method === "PUT" ? 201 : manifest ? 404 : 200).end();
  });
  await using registry = await listening(server);
  await pushImages(registry.url, await image(scratch.dir), () => {});
  expect(asked.map((line) => line.replace(/sha256:\w+/, "…"))).toEqual([
    "HEAD /v2/pause/manifests/3.10.2",
    "HEAD /v2/pause/blobs/…",
    "HEAD /v2/pause/blobs/…",
    "PUT /v2/pause/manifests/3.10.2",
  ]);
});

test("a refusal says what was asked and what was answered", async () => {
  await using scratch = await scratchFolder();
  const { server } = recording(({ method }, response) => {
    response.writeHead(method === "HEAD" ? 404 : 500).end("no space left on device");
  });
  await using registry = await listening(server);
  const told: LabProgress[] = [];
  await expect(
    pushImages(registry.url, await image(scratch.dir), (progress) => told.push(progress)),
  ).rejects.toMatchObject({
    code: "PB_REGISTRY_REFUSED",
    message: expect.stringMatching(/500 to POST \/v2\/pause\/blobs\/uploads\/: no space left/),
  });
  expect(told.at(-1)).toMatchObject({ type: "failed", label: `push ${REF}` });
});

test("a registry that is not there is named", async () => {
  await using scratch = await scratchFolder();
  await expect(
    pushImages("http://[::1]:9", await image(scratch.dir), () => {}),
  ).rejects.toMatchObject({
    code: "PB_REGISTRY_UNREACHABLE",
    message: expect.stringContaining("http://[::1]:9"),
  });
});
