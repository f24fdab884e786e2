import { createWriteStream } from "node:fs";
import { copyFile, mkdir, readFile, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { PlaybookError } from "#engine/errors/error.ts";
import { ifPresent } from "./absent.ts";
import { reasonOf, request, stalling, textOf } from "./http.ts";

/** A place that may have files, at the paths of the mirror's layout. */
export interface Source {
  /** For progress and errors. */
  readonly label: string;
  /** Only has what upstream publishes with checksums. */
  readonly official: boolean;
  /** A small text file, or why it cannot be had here. */
  text(path: string): Promise<{ readonly text: string } | { readonly why: string }>;
  /** Writes a file; rejects with {@link BrokenOff} where it cannot be had. */
  file(path: string, to: string): Promise<void>;
}

/** A source lacks a file, or a download stopped halfway: the next source may do better. */
export class BrokenOff extends Error {
  override readonly name = "BrokenOff";
}

/** The folder or mirror that the user named: one that cannot be used at all is an error, not a reason to go on. */
export async function givenSource(from: string, signal: AbortSignal): Promise<Source> {
  if (!/^https?:\/\//.test(from)) return folderSource(from);
  const root = new URL(from.endsWith("/") ? from : `${from}/`);
  const answer = await request(root, { method: "HEAD", signal });
  if (typeof answer === "string") throw new PlaybookError("PB_ARTIFACT_SOURCE", [from, answer]);
  answer.destroy();
  return urlSource({ label: from, official: false, url: (path) => new URL(path, root), signal });
}

async function folderSource(folder: string): Promise<Source> {
  const found = await ifPresent(stat(folder));
  if (!found?.isDirectory())
    throw new PlaybookError("PB_ARTIFACT_SOURCE", [
      folder,
      found ? "it is no folder" : "it is not there",
    ]);
  return {
    label: folder,
    official: false,
    async text(path) {
      const text = await ifPresent(readFile(join(folder, path), "utf8"));
      return text === undefined ? { why: `no ${path}` } : { text };
    },
    async file(path, to) {
      if (!(await ifPresent(stat(join(folder, path))))) throw new BrokenOff(`no ${path}`);
      await mkdir(dirname(to), { recursive: true });
      await copyFile(join(folder, path), to);
    },
  };
}

/**
 * The projects' own download servers. A host that refuses or is out of reach is asked once and left alone after that,
 * so that a closed network costs one short deadline per host.
 */
export const upstreamSource = (
  signal: AbortSignal,
  url = (path: string) => new URL(`https://${path}`),
): Source => urlSource({ label: "the official release", official: true, url, signal });

interface UrlSource {
  readonly label: string;
  readonly official: boolean;
  readonly url: (path: string) => URL;
  readonly signal: AbortSignal;
}

function urlSource({ label, official, url, signal }: UrlSource): Source {
  const closed = new Map<string, string>();
  const open = async (path: string): Promise<IncomingMessage | string> => {
    const [host = ""] = path.split("/", 1);
    const known = closed.get(host);
    if (known !== undefined) return known;
    const answer = await request(url(path), { signal });
    if (typeof answer === "string") {
      closed.set(host, answer);
      return answer;
    }
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    answer.destroy();
    const why = `${url(path)} answered ${status}`;
    if (status !== 404 && status !== 410) closed.set(host, why);
    return why;
  };
  return {
    label,
    official,
    async text(path) {
      const answer = await open(path);
      if (typeof answer === "string") return { why: answer };
      try {
        return { text: await textOf(answer, signal) };
      } catch (error) {
        signal.throwIfAborted();
        return { why: `${url(path)} broke off: ${reasonOf(error)}` };
      }
    },
    async file(path, to) {
      const answer = await open(path);
      if (typeof answer === "string") throw new BrokenOff(answer);
      await mkdir(dirname(to), { recursive: true });
      try {
        await pipeline(stalling(answer, signal), createWriteStream(to));
      } catch (error) {
        signal.throwIfAborted();
        const why = `${url(path)} broke off: ${reasonOf(error)}`;
        throw new BrokenOff(why, { cause: error });
      }
    },
  };
}
