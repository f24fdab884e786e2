import { isPlaybookError, PlaybookError } from "../../errors/error.ts";
import type { CallOptions } from "../connection.ts";
import { absolute, reason } from "./files.ts";
import { LocalCopy } from "./local-copy.ts";
import { localError } from "./local-files.ts";
import type { Pipe } from "./pipe.ts";
import { nextLine, stream, type TransferHost } from "./stream.ts";
import { asAlgorithm, PICK_HASH } from "./sum.ts";

/** A host's file that comes to a local path. */
export interface Fetching {
  readonly from: string;
  readonly to: string;
  readonly options: CallOptions;
}

// $1 path. It says which hash it makes and how large the file is, hears how much of it is there and with which hash,
// says how much of that is right, and sends the rest; the hash of all is made meanwhile, and told on stderr.
const SEND = [
  `z=$(stat -L -c %s -- "$1") || exit 1`,
  `if [ -d "$1" ]; then echo "$1: Is a directory" >&2; exit 1; fi`,
  `if [ -f "$1" ]; then :; else echo "$1: Is no file" >&2; exit 1; fi`,
  PICK_HASH,
  `printf "%s %s\\n" "$a" "$z"; read -r n w || exit 1`,
  `if [ "$n" -gt 0 ]; then s=$(head -c "$n" -- "$1" | h); [ "\${s%% *}" = "$w" ] || n=0; fi`,
  `printf "%s\\n" "$n"`,
  `if [ "$n" -gt 0 ] && [ "$n" -eq "$z" ]; then exit 0; fi`,
  `{ s=$(h <"$1"); printf "\\001%s\\n" "\${s%% *}" >&2; } & tail -c +$((n + 1)) -- "$1"; c=$?; wait; exit $c`,
].join("; ");

/** A host's file to a local one, readable by this user only: complete, or as it was. What is there already stays. */
export async function download(host: TransferHost, fetching: Fetching): Promise<void> {
  const { from, to, options } = fetching;
  const copy = new LocalCopy(from, to);
  const script = { text: SEND, args: [absolute(from)] };
  try {
    const end = await stream(host, { what: `read ${from}`, options, script }, (pipe, signal) =>
      receive(copy, { from, pipe, signal }),
    );
    if (end.code !== 0) throw new PlaybookError("PB_READ_FAILED", [from, reason(end.said)]);
    const [, hex] = /\x01([0-9a-f]+)\n/.exec(end.said) ?? [];
    if (!copy.isWhole(hex)) throw new PlaybookError("PB_TRANSFER_CORRUPT", [from, to]);
    await copy.place();
  } catch (error) {
    if (!isCut(error)) await copy.drop();
    throw isPlaybookError(error) ? error : localError(to, error);
  }
}

const CUTS: ReadonlySet<string> = new Set(["PB_CONNECTION_LOST", "PB_INTERRUPTED", "PB_TIMEOUT"]);

const isCut = (error: unknown): boolean => isPlaybookError(error) && CUTS.has(error.code);

async function receive(
  copy: LocalCopy,
  { from, pipe, signal }: { from: string; pipe: Pipe; signal: AbortSignal },
): Promise<void> {
  const nonsense = () =>
    new PlaybookError("PB_READ_FAILED", [from, "what the host answers makes no sense"]);
  const { stdin, stdout } = pipe;
  const offer = await nextLine(pipe);
  if (offer === undefined) return;
  const [, name, size] = /^(\S+) (\d{1,16})$/.exec(offer) ?? [];
  const algorithm = asAlgorithm(name);
  if (algorithm === undefined || !Number.isSafeInteger(Number(size))) throw nonsense();
  const have = await copy.find(algorithm, Number(size));
  stdin.end(`${have.length} ${have.hex}\n`);
  const kept = await nextLine(pipe);
  if (kept === undefined) return;
  if (kept !== "0" && kept !== String(have.length)) throw nonsense();
  await copy.fill(stdout, { kept: Number(kept), signal });
  stdout.resume();
}
