import { isPlaybookError, PlaybookError } from "../../errors/error.ts";
import type { CallOptions, FileAttributes } from "../connection.ts";
import type { Content } from "./content.ts";
import { partOf, placeWords, reason } from "./files.ts";
import { localError } from "./local-files.ts";
import { MOVE } from "./move.ts";
import type { Pipe } from "./pipe.ts";
import { quote, quoteAll } from "./quote.ts";
import { nextLine, pour, stream, type TransferHost } from "./stream.ts";
import { asAlgorithm, PICK_HASH, type Sum } from "./sum.ts";

/** Something that goes to a path of a host. */
export interface Sending {
  readonly to: string;
  readonly content: Content;
  readonly options: FileAttributes & CallOptions;
  /** What it is to this side, for errors. */
  readonly from: string;
  /**
   * Whether what has arrived when the connection is cut stays there, for the next attempt to go on from. Otherwise the
   * hash is known beforehand, and the host itself puts in place what matches: nothing is left beside it.
   */
  readonly resumable: boolean;
}

// $1 path, $2 the file beside it, $3 mode, $4 owner, $5 bytes, $6 whether it can be resumed. What an earlier attempt
// left is only read, and copied into a new file: one that already is at a guessable name may be a link, or not ours.
// Once open, the new file goes by its descriptor, for the same reason, and as a shell whose connection was cut without
// a word may still hold the last one. tee tells what it could not write, and goes on; then the size shows it. It lets
// the hash be made meanwhile, which takes a processor of its own. A file is not flushed: scp's is not, either, and the
// next run would see what a crash cost. What is written from memory is, and is put in place here if its hash is the one
// that was told with how much is kept ($w): an engine that dies after the last byte leaves nothing beside the file.
const RECEIVE = [
  MOVE.trim(),
  `if [ -d "$1" ]; then echo "$1: Is a directory" >&2; exit 1; fi`,
  `umask 077`,
  PICK_HASH,
  `o=$2.old; n=0; s=-; trap "exit 143" TERM HUP INT`,
  `if [ -z "$6" ]; then trap 'rm -f -- "$2"' EXIT`,
  `else if [ -f "$2" ]; then m=$(wc -c <"$2"); p=0; if [ -f "$o" ]; then p=$(wc -c <"$o"); fi`,
  `if [ "$m" -ge "$p" ]; then mv -f -- "$2" "$o"; fi; fi`,
  `rm -f -- "$2"; if [ -f "$o" ]; then n=$(wc -c <"$o")`,
  `if [ "$n" -gt 0 ] && [ "$n" -le "$5" ]; then s=$(h <"$o"); s=\${s%% *}; else n=0; fi; fi; fi`,
  `printf "%s %s %s\\n" "$a" "$n" "$s"; read -r k w || exit 1`,
  `set -C; exec 4>"$2" || exit 1; set +C; f=/proc/self/fd/4`,
  `r() { if [ "$k" -gt 0 ]; then head -c "$k" -- "$o"; fi; cat; }`,
  `if [ "$(nproc 2>/dev/null || echo 1)" -gt 2 ]; then s=$(r | { tee $f || rm -f -- "$2"; } | h)`,
  `else r >&4 || rm -f -- "$2"; s=$(h <$f); fi`,
  `if [ "$(wc -c <$f)" -ne "$5" ]; then echo "$1: the content arrived incomplete" >&2; exit 1; fi`,
  `{ { [ -n "$6" ] || sync $f; } && { [ -z "$4" ] || chown -- "$4" $f; } && chmod -- "$3" $f; } || { rm -f -- "$2"; exit 1; }`,
  `s=\${s%% *}; if [ "$s" = "$w" ]; then _pb_move "$2" "$1" || exit 1; d=\${1%/*}; sync -- "\${d:-/}" || :; fi`,
  `if [ -n "$6" ] || [ "$s" = "$w" ]; then trap - EXIT; rm -f -- "$o"; fi; printf "%s\\n" "$s"`,
].join("; ");

/** Writes content beside its place, compares what arrived with what was sent, and puts it in place. */
export async function send(host: TransferHost, sending: Sending): Promise<void> {
  const { to, from, content, options, resumable } = sending;
  const [path = "", guarded = "", mode = "", owner = ""] = placeWords(to, options);
  const beside = resumable ? partOf(path) : guarded;
  const args = [path, beside, mode, owner, String(content.size), resumable ? "y" : ""];
  const what = `write ${to}`;
  let arrived: Sum | undefined;
  const end = await stream(
    host,
    { what, options, script: { text: RECEIVE, args } },
    async (pipe, signal) => {
      arrived = await pass(sending, pipe, signal);
    },
  ).catch((error: unknown) => {
    throw isPlaybookError(error) ? error : localError(from, error);
  });
  if (end.code !== 0) throw new PlaybookError("PB_WRITE_FAILED", [to, reason(end.said)]);
  const same = arrived !== undefined && arrived.hex === (await content.sum(arrived.algorithm));
  if (resumable) await finish(host, { path, beside, options }, same);
  if (!same) throw new PlaybookError("PB_TRANSFER_CORRUPT", [from, to]);
}

/** Puts what was left beside its place there, or takes it away. */
async function finish(
  { calls }: TransferHost,
  { path, beside, options }: { path: string; beside: string; options: CallOptions },
  same: boolean,
): Promise<void> {
  const body = same
    ? `umask 077; _pb_move ${quoteAll([beside, path])}`
    : `exec rm -f -- ${quote(beside)}`;
  const work = { what: `write ${path}`, body, grouped: false };
  const { code, stderr } = await calls.call(work, options);
  if (code !== 0) throw new PlaybookError("PB_WRITE_FAILED", [path, reason(stderr.toString())]);
}

/** Sends what the host lacks; gives the hash of all that is there then, or nothing where the host ended before. */
async function pass(
  { content, to, resumable }: Sending,
  pipe: Pipe,
  signal: AbortSignal,
): Promise<Sum | undefined> {
  const offer = await nextLine(pipe);
  if (offer === undefined) return undefined;
  const [, name, size, left] = OFFER.exec(offer) ?? [];
  const algorithm = asAlgorithm(name);
  if (algorithm === undefined)
    throw new PlaybookError("PB_WRITE_FAILED", [to, "what the host answers makes no sense"]);
  content.expect(algorithm);
  const there = Number(size);
  const isPart =
    there > 0 && there <= content.size && (await content.sum(algorithm, there)) === left;
  const kept = isPart ? there : 0;
  pipe.stdin.write(resumable ? `${kept}\n` : `${kept} ${await content.sum(algorithm)}\n`);
  // Listened to meanwhile: a channel whose output nobody takes does not say that it has closed.
  const told = nextLine(pipe);
  await pour(content.chunks(kept), pipe, signal);
  const hex = await told;
  pipe.stdout.resume();
  return hex === undefined ? undefined : { algorithm, hex };
}

const OFFER = /^(\S+) (\d{1,15}) (-|[0-9a-f]{1,128})$/;
