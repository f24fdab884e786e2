import { createReadStream } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Upstream } from "../upstream.ts";
import type { Entry, PackageCache, Stored } from "./cache.ts";
import { Download } from "./download.ts";

/** What the proxy serves and how. */
export interface ProxyOptions {
  readonly cache: PackageCache;
  readonly upstream: Upstream;
  /** First path segment → base URL of the archive behind it. Nothing else is served: this is no open proxy. */
  readonly archives: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

/** Where the bytes of an answer come from. */
type Source =
  | { readonly kind: "stored"; readonly stored: Stored; readonly note: string }
  | { readonly kind: "download"; readonly download: Download }
  | { readonly kind: "refused"; readonly status: number; readonly why: string };

/**
 * A caching proxy for Debian archives. What is named by its content (pool, by-hash) is fetched once; indexes are asked
 * for again each time, and served from the cache when the mirror is away.
 */
export function createAptProxy(options: ProxyOptions): Server {
  const running = new Map<string, Promise<Source>>();
  return createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // apt hangs up as soon as it has the last byte, before the connection has ended in order.
      if (!response.writableEnded) options.log(`${request.url} ${String(error)}`);
      // After the first bytes only a cut connection tells the client that the rest is missing.
      if (response.headersSent) response.destroy();
      else refuse(response, 502, String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    if (path === "/ready") return refuse(response, 200, "ready");
    if (request.method !== "GET" && request.method !== "HEAD")
      return refuse(response, 405, "only GET and HEAD");
    const url = target(path, options.archives);
    if (url === undefined) return refuse(response, 404, "not an archive of this lab");
    const source = await join(url);
    options.log(`${request.method} ${path} ${describe(source)}`);
    if (source.kind === "refused") return refuse(response, source.status, source.why);
    try {
      await send(source, request, response);
    } finally {
      if (source.kind === "download") await source.download.close();
    }
  }

  async function join(url: string): Promise<Source> {
    for (;;) {
      const found = running.get(url) ?? begin(url);
      const source = await found;
      if (source.kind !== "download" || source.download.open()) return source;
      // It ended in this very moment: what it brought is in the cache now.
      forget(url, found);
    }
  }

  function forget(url: string, source: Promise<Source>): void {
    if (running.get(url) === source) running.delete(url);
  }

  // Two clients that ask for the same thing at once cause one request to the mirror.
  function begin(url: string): Promise<Source> {
    const source = locate(url, options, () => forget(url, source));
    running.set(url, source);
    source.then(
      ({ kind }) => {
        if (kind !== "download") forget(url, source);
      },
      () => forget(url, source),
    );
    return source;
  }
}

async function locate(url: string, options: ProxyOptions, done: () => void): Promise<Source> {
  const { cache, upstream, log } = options;
  const stored = await cache.find(url);
  if (stored && /\/(?:pool|by-hash)\//.test(url)) return { kind: "stored", stored, note: "hit" };
  let reply: IncomingMessage;
  try {
    reply = await upstream.ask(url, { headers: conditions(stored?.entry) });
  } catch (error) {
    if (stored) return { kind: "stored", stored, note: `stale, ${String(error)}` };
    return { kind: "refused", status: 504, why: String(error) };
  }
  const status = reply.statusCode ?? 502;
  if (status === 200) {
    const { download, finished } = await Download.start(cache, url, reply);
    finished.catch((error: unknown) => log(`${url} ${String(error)}`)).finally(done);
    return { kind: "download", download };
  }
  reply.resume();
  if (status === 304 && stored) return { kind: "stored", stored, note: "revalidated" };
  if (status >= 500 && stored) return { kind: "stored", stored, note: `stale, mirror ${status}` };
  return { kind: "refused", status: status < 400 ? 502 : status, why: `the mirror says ${status}` };
}

async function send(
  source: Exclude<Source, { kind: "refused" }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { entry } = source.kind === "stored" ? source.stored : source.download;
  if (entry.size >= 0) response.setHeader("content-length", entry.size);
  if (entry.contentType) response.setHeader("content-type", entry.contentType);
  if (entry.lastModified) response.setHeader("last-modified", entry.lastModified);
  if (unchanged(request.headers["if-modified-since"], entry)) {
    response.removeHeader("content-length");
    response.writeHead(304).end();
    return;
  }
  response.writeHead(200);
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const body =
    source.kind === "stored"
      ? createReadStream(source.stored.file)
      : Readable.from(source.download.read());
  await pipeline(body, response);
}

/** The mirror's URL for a path, or undefined when the path leads out of the archives. */
export function target(path: string, archives: ProxyOptions["archives"]): string | undefined {
  const [, archive = "", rest = ""] = /^\/([^/?#]+)\/([^?#]*)$/.exec(path) ?? [];
  const base = Object.hasOwn(archives, archive) ? archives[archive] : undefined;
  if (base === undefined || decodeURIComponent(rest).split("/").includes("..")) return undefined;
  return `${base}/${rest}`;
}

function conditions(entry: Entry | undefined): Record<string, string> {
  return {
    "user-agent": "run-playbook lab",
    ...(entry?.etag ? { "if-none-match": entry.etag } : {}),
    ...(entry?.lastModified ? { "if-modified-since": entry.lastModified } : {}),
  };
}

function unchanged(since: string | undefined, { lastModified }: Entry): boolean {
  if (since === undefined || lastModified === undefined) return false;
  return Date.parse(lastModified) <= Date.parse(since);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(`${why}\n`);
}

function describe(source: Source): string {
  if (source.kind === "stored") return source.note;
  return source.kind === "download" ? "fetched" : `${source.status} ${source.why}`;
}
