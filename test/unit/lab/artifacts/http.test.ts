import { createServer } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { request, textOf } from "#lab/artifacts/http.ts";
import { listening } from "../../../support/scratch.ts";
import { freePort } from "../../../support/sshd.ts";

const signal = AbortSignal.timeout(20_000);

/** A real proxy: it forwards what it is sent whole, opens tunnels, and remembers what it was asked for. */
async function proxying(upstream: number) {
  const asked: string[] = [];
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    response.end("through the proxy");
  });
  server.on("connect", ({ url = "" }, socket, head) => {
    asked.push(`CONNECT ${url}`);
    const out = connect(upstream, "::1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      out.write(head);
      out.pipe(socket).pipe(out);
    });
    out.on("error", () => socket.destroy());
    socket.on("error", () => out.destroy());
  });
  const proxy = await listening(server);
  return { asked, ...proxy, [Symbol.asyncDispose]: proxy[Symbol.asyncDispose] };
}

const site = () => listening(createServer((_, response) => response.end("directly")));

async function body(url: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const answer = await request(new URL(url), { signal, environment });
  return typeof answer === "string" ? answer : textOf(answer, signal);
}

test("a download goes through the proxy that HTTP_PROXY names, and past it where NO_PROXY says so", async () => {
  await using here = await site();
  await using proxy = await proxying(here.port);
  const through = { HTTP_PROXY: proxy.url };
  expect(await body("http://mirror.example/a", through)).toBe("through the proxy");
  expect(proxy.asked).toEqual(["GET http://mirror.example/a"]);
  expect(await body(here.url, { ...through, NO_PROXY: "[::1],::1" })).toBe("directly");
  expect(await body(here.url, {})).toBe("directly");
  expect(proxy.asked).toHaveLength(1);
});

test("a secure download opens a tunnel through the proxy that HTTPS_PROXY names", async () => {
  await using here = await site();
  await using proxy = await proxying(here.port);
  // What answers in the tunnel speaks no TLS: that it was asked through one is what counts.
  const answer = await body("https://dl.example/file", { https_proxy: proxy.url });
  expect(answer).toContain("dl.example is out of reach");
  expect(proxy.asked).toEqual(["CONNECT dl.example:443"]);
});

test("a proxy that refuses is the reason that is given", async () => {
  const answer = await body("http://mirror.example/a", {
    HTTP_PROXY: `http://[::1]:${await freePort()}/`,
  });
  expect(answer).toContain("mirror.example is out of reach (connect ECONNREFUSED");
});
