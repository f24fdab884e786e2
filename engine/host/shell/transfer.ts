import { PlaybookError } from "../../errors/error.ts";
import type { CallOptions, FileAttributes } from "../connection.ts";
import { type Content, contentOf } from "./content.ts";
import { partOf, placeWords, reason, statReply, statWork } from "./files.ts";
import { quoteAll } from "./quote.ts";
import { send } from "./send.ts";
import { TRANSFER_TIMEOUT, type TransferHost } from "./stream.ts";
import { parseSum, sumWork } from "./sum.ts";

/** Content of any size from memory. */
export const sendContent = (
  host: TransferHost,
  {
    to,
    content,
    options,
  }: { to: string; content: Uint8Array; options: FileAttributes & CallOptions },
): Promise<void> =>
  send(host, { to, options, from: "content", content: contentOf(content), resumable: false });

interface Upload {
  readonly from: string;
  readonly to: string;
  readonly options: FileAttributes & CallOptions;
}

/** A local file, where the host has another content there; only attributes are set where the content is the same. */
export const upload = (host: TransferHost, { from, to, options }: Upload): Promise<boolean> =>
  host.files.with(from, async (content) => {
    if (await isThere(host, content, { to, options })) {
      await settle(host, to, options);
      return false;
    }
    await send(host, { to, from, content, options, resumable: true });
    return true;
  });

// Another size is another content: then nothing needs to be hashed before it is sent.
async function isThere(
  { calls }: TransferHost,
  content: Content,
  { to, options }: Pick<Upload, "to" | "options">,
): Promise<boolean> {
  const there = statReply(to, await calls.call(statWork(to), options));
  if (there?.kind !== "file" || there.size !== content.size) return false;
  const timeoutMs = options.timeoutMs ?? TRANSFER_TIMEOUT;
  const reply = await calls.call(sumWork(to), { ...options, timeoutMs, long: true });
  const sum = reply.code === 0 ? parseSum(reply.stdout.toString()) : undefined;
  return sum !== undefined && sum.hex === (await content.sum(sum.algorithm));
}

/** What is right in content gets its attributes, and what a cut left of it goes. */
async function settle(
  { calls }: TransferHost,
  path: string,
  options: FileAttributes & CallOptions,
): Promise<void> {
  const [, , mode = "", owner = ""] = placeWords(path, options);
  const part = partOf(path);
  const body = [
    ...(owner === "" ? [] : [quoteAll(["chown", "--", owner, path])]),
    quoteAll(["chmod", "--", mode, path]),
    `exec ${quoteAll(["rm", "-f", "--", part, `${part}.old`])}`,
  ].join(" && ");
  const reply = await calls.call({ what: `set mode of ${path}`, body, grouped: false }, options);
  if (reply.code !== 0)
    throw new PlaybookError("PB_WRITE_FAILED", [path, reason(reply.stderr.toString())]);
}
