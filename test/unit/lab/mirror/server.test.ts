import { symlink } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { mirrorServer, requestedRange } from "#lab/mirror/server.ts";
import { listening, scratchFolder } from "../../../support/scratch.ts";

const PATH = "dl.k8s.io/release/v1/kubeadm";

async function mirror() {
  const scratch = await scratchFolder();
  await scratch.write({ [`served/${PATH}`]: "0123456789", "served/empty": "", secret: "secret" });
  const server = await listening(mirrorServer(join(scratch.dir, "served")));
  return {
    url: server.url,
    port: server.port,
    dir: scratch.dir,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

// Unlike fetch, sends the path as it is given.
const rawGet = (port: number, path: string) =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    request({ host: "::1", port, path }, async (answer) =>
      resolve({ status: answer.statusCode, body: await text(answer) }),
    )
      .on("error", reject)
      .end();
  });

test("serves a file whole", async () => {
  await using server = await mirror();
  const answer = await fetch(server.url + PATH);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-length")).toBe("10");
  expect(answer.headers.get("accept-ranges")).toBe("bytes");
  expect(await answer.text()).toBe("0123456789");
});

test("HEAD tells the size and sends nothing", async () => {
  await using server = await mirror();
  const answer = await fetch(server.url + PATH, { method: "HEAD" });
  expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([
    200,
    "10",
    "",
  ]);
});

test.each([
  ["bytes=2-4", 206, "234", "bytes 2-4/10"],
  ["bytes=7-", 206, "789", "bytes 7-9/10"],
  ["bytes=-2", 206, "89", "bytes 8-9/10"],
  ["bytes=5-999", 206, "56789", "bytes 5-9/10"],
  ["bytes=10-", 416, "beyond the end\n", "bytes */10"],
  ["bytes=0-1,3-4", 200, "0123456789", null],
  ["lines=1-2", 200, "0123456789", null],
])("range %s is answered %i", async (range, status, body, contentRange) => {
  await using server = await mirror();
  const answer = await fetch(server.url + PATH, { headers: { range } });
  expect([answer.status, await answer.text(), answer.headers.get("content-range")]).toEqual([
    status,
    body,
    contentRange,
  ]);
});

test.each([
  "/../secret",
  "/dl.k8s.io/../../secret",
  "/%2e%2e/secret",
  "/..%2fsecret",
  "/%00",
  "/%zz",
  "//../secret",
])("%s leads nowhere", async (path) => {
  await using server = await mirror();
  const { status, body } = await rawGet(server.port, path);
  expect([400, 404]).toContain(status);
  expect(body).not.toContain("secret");
});

test("a link out of the folder leads nowhere", async () => {
  await using server = await mirror();
  await symlink(join(server.dir, "secret"), join(server.dir, "served", "link"));
  expect((await fetch(`${server.url}link`)).status).toBe(404);
});

test("folders are not listed, empty files are empty, other methods are refused", async () => {
  await using server = await mirror();
  expect((await fetch(`${server.url}dl.k8s.io`)).status).toBe(404);
  expect((await fetch(server.url)).status).toBe(200);
  const empty = await fetch(`${server.url}empty`);
  expect([empty.status, await empty.text()]).toEqual([200, ""]);
  const refused = await fetch(server.url + PATH, { method: "PUT", body: "x" });
  expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("a range of nothing cannot be given", () => {
  expect(requestedRange("bytes=-0", 10)).toBe("unsatisfiable");
  expect(requestedRange("bytes=-", 10)).toBeUndefined();
  expect(requestedRange(undefined, 10)).toBeUndefined();
});
