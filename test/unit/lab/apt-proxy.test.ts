import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PackageCache } from "#lab/apt-proxy/cache.ts";
import { createAptProxy, target } from "#lab/apt-proxy/server.ts";
import { openUpstream } from "#lab/upstream.ts";

let folder: string;
let cleanUp: (() => unknown)[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-apt-"));
  cleanUp = [];
});
afterEach(async () => {
  for (const close of cleanUp) await close();
  await rm(folder, { recursive: true });
});

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, "::1", resolve));
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://[::1]:${(server.address() as AddressInfo).port}`;
};

/** A mirror that counts what it is asked, and the proxy before it. */
async function rig(answer: RequestListener) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  });
  const mirror = await listen(server);
  const upstream = openUpstream({});
  cleanUp.push(() => upstream.close());
  const log: string[] = [];
  const cache = new PackageCache(folder);
  const archives = { debian: `${mirror}/debian` };
  const proxy = createAptProxy({ cache, upstream, archives, log: (line) => log.push(line) });
  const base = await listen(proxy);
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${base}${path}`, { headers });
  return { asked, log, get, server };
}

const DEB = "/debian/pool/main/h/hello/hello_2.10-5_amd64.deb";
const INDEX = "/debian/dists/trixie/InRelease";

describe("package proxy", () => {
  it("fetches a package once and serves it from the disk from then on", async () => {
    const { asked, get } = await rig((_, response) => response.end("package"));
    for (let turn = 0; turn < 3; turn += 1) expect(await (await get(DEB)).text()).toBe("package");
    expect(asked).toEqual([DEB]);
  });

  it("asks the mirror once when many hosts want the same thing at the same time", async () => {
    const body = "x".repeat(300_000);
    const { asked, get } = await rig((_, response) => {
      response.setHeader("content-length", body.length);
      response.write(body.slice(0, 1000), () => response.end(body.slice(1000)));
    });
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => (await get(DEB)).text()),
    );
    expect(new Set(answers)).toEqual(new Set([body]));
    expect(asked).toEqual([DEB]);
  });

  it("passes on the first bytes before the last have come", async () => {
    const last = Promise.withResolvers<void>();
    const { get } = await rig((_, response) => {
      response.setHeader("content-length", 10);
      response.write("first");
      void last.promise.then(() => response.end("-last"));
    });
    const reader = (await get(DEB)).body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("first");
    last.resolve();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("-last");
  });

  it("asks again for an index each time, and serves the stored one when it is unchanged", async () => {
    const { asked, log, get } = await rig((request, response) => {
      if (request.headers["if-none-match"] === '"1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"1"' }).end("index");
    });
    expect(await (await get(INDEX)).text()).toBe("index");
    expect(await (await get(INDEX)).text()).toBe("index");
    expect(asked).toEqual([INDEX, INDEX]);
    expect(log.at(-1)).toContain("revalidated");
  });

  it("serves a new index when it has changed", async () => {
    let version = 0;
    const { get } = await rig((_, response) => {
      version += 1;
      response.end(`index ${version}`);
    });
    expect(await (await get(INDEX)).text()).toBe("index 1");
    expect(await (await get(INDEX)).text()).toBe("index 2");
  });

  it("serves the stored index when the mirror is away, and says so in its log", async () => {
    const { log, get, server } = await rig((_, response) => response.end("index"));
    await (await get(INDEX)).text();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await (await get(INDEX)).text()).toBe("index");
    expect(log.at(-1)).toContain("stale");
    expect((await get(DEB)).status).toBe(504);
  });

  it("says not modified to a client that has it", async () => {
    const date = new Date(1_700_000_000_000).toUTCString();
    const { get } = await rig((request, response) => {
      if (request.headers["if-modified-since"] === date) response.writeHead(304).end();
      else response.writeHead(200, { "last-modified": date }).end("index");
    });
    await (await get(INDEX)).text();
    expect((await get(INDEX, { "if-modified-since": date })).status).toBe(304);
  });

  it("keeps nothing of an answer that breaks off, and cuts the client's connection", async () => {
    let whole = false;
    const { get } = await rig((_, response) => {
      response.setHeader("content-length", 10);
      if (whole) response.end("0123456789");
      else response.write("01234", () => response.destroy());
    });
    await expect(get(DEB).then((answer) => answer.text())).rejects.toThrow();
    whole = true;
    expect(await (await get(DEB)).text()).toBe("0123456789");
    expect((await readdir(folder)).filter((name) => name.startsWith("draft"))).toEqual([]);
  });

  it("fetches again what has not its size on the disk", async () => {
    const { asked, get } = await rig((_, response) => response.end("package"));
    await (await get(DEB)).text();
    const [stored] = (await readdir(folder)).filter((name) => !name.endsWith(".json"));
    await truncate(join(folder, stored!), 3);
    expect(await (await get(DEB)).text()).toBe("package");
    expect(asked).toHaveLength(2);
  });

  it("passes on that something does not exist, and does not remember it", async () => {
    const { asked, get } = await rig((_, response) => response.writeHead(404).end());
    expect((await get(DEB)).status).toBe(404);
    expect((await get(DEB)).status).toBe(404);
    expect(asked).toHaveLength(2);
  });

  it("follows the mirror's redirects", async () => {
    const { get } = await rig((request, response) => {
      if (request.url === DEB) response.writeHead(302, { location: "/moved" }).end();
      else response.end("package");
    });
    expect(await (await get(DEB)).text()).toBe("package");
  });

  it.each(["/other/file", "/debian/../secret", "/debian/%2e%2e/secret", "/", "//debian/x"])(
    "serves nothing but the lab's archives: %s",
    (path) => {
      expect(target(path, { debian: "http://mirror/debian" })).toBeUndefined();
    },
  );
});
