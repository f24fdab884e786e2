import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { ifPresent } from "../artifacts/absent.ts";

/** A server of the files below one folder: GET and HEAD, whole or one range; nothing outside it, no listings. */
export const mirrorServer = (dir: string): Server =>
  createServer((request, response) => {
    answer(dir, request, response).catch((error: unknown) => {
      // Before the head is out the client is told; after it, a cut connection is all that is left to tell.
      if (response.headersSent) response.destroy(error instanceof Error ? error : undefined);
      else plain(response, 500, "the file cannot be read");
    });
  });

async function answer(dir: string, request: IncomingMessage, response: ServerResponse) {
  const { method } = request;
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return plain(response, 405, "only GET and HEAD");
  }
  const path = requestedPath(request.url ?? "/");
  if (path === undefined) return plain(response, 400, "not a path");
  if (path === "/") return plain(response, 200, "a mirror: /HOST/PATH");
  const file = await fileBelow(dir, path);
  if (file === undefined) return plain(response, 404, "not here");
  const range = requestedRange(request.headers.range, file.size);
  if (range === "unsatisfiable") {
    response.setHeader("content-range", `bytes */${file.size}`);
    return plain(response, 416, "beyond the end");
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  response.writeHead(range === undefined ? 200 : 206, {
    "accept-ranges": "bytes",
    "content-length": end - start + 1,
    "content-type": "application/octet-stream",
    "last-modified": file.mtime.toUTCString(),
    ...(range !== undefined && { "content-range": `bytes ${start}-${end}/${file.size}` }),
  });
  if (method === "HEAD" || file.size === 0) return response.end();
  return pipeline(createReadStream(file.path, { start, end, highWaterMark: 1 << 20 }), response);
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain" });
  response.end(`${text}\n`);
}

// Taken apart by hand: URL would fold "/../" away, and what folds is better refused.
function requestedPath(target: string): string | undefined {
  const [raw = ""] = target.split("?", 1);
  if (!raw.startsWith("/")) return undefined;
  try {
    const path = decodeURIComponent(raw);
    return path.includes("\0") || path.split("/").includes("..") ? undefined : path;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

async function fileBelow(dir: string, path: string) {
  const [root, found] = await Promise.all([realpath(dir), ifPresent(realpath(join(dir, path)))]);
  if (found === undefined || !found.startsWith(root + sep)) return undefined;
  const is = await stat(found);
  return is.isFile() ? { path: found, size: is.size, mtime: is.mtime } : undefined;
}

/** The one range that was asked for; undefined (the whole file) where none was, or several, or not in bytes. */
export function requestedRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return start <= end ? { start, end } : "unsatisfiable";
}
