/** Names in /etc/hosts. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { defineModule, PlaybookError } from "#engine/index.ts";
import { NamedAddress } from "../address.ts";
import { keepFile, readManaged } from "../managed-file.ts";
import { FilePath, State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";

const Name = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i,
    "expected a host name, as k8s-api.example.net",
  );
const Entry = z.strictObject({
  address: NamedAddress.describe("IPv6 or IPv4, without brackets or zone."),
  names: z.array(Name).min(1).describe("The full name first, then short ones."),
});

export const hostsFile = defineModule({
  name: "hosts-file",
  summary:
    "Keep a block of names in /etc/hosts, between markers; all other lines stay as they are.",
  example: `use.hostsFile({
  entries: [{ address: "2001:db8:1::100", names: ["k8s-api.example.net", "k8s-api"] }],
})`,

  params: z.strictObject({
    entries: z.array(Entry).default([]).describe("In the order they are written."),
    block: z
      .string()
      .regex(/^[\w.-]+$/)
      .default("run-playbook")
      .describe("Names the block, so that several steps can each keep one."),
    path: FilePath.default("/etc/hosts").describe("The file."),
    state: State.describe("absent removes the block with its markers."),
  }),

  async read(host, want) {
    return readManaged(host, want.path);
  },

  *diff(now, want) {
    if (want.state === "absent" && now.stat === undefined) return;
    const { mode, owner, group } = now.stat ?? {};
    const content = withBlock(now.content ?? "", want);
    yield* keepFile(now, { path: want.path, content, mode, owner, group });
  },

  *undo(before, now, want) {
    const { path } = want;
    const [text, old] = [now.content ?? "", before.content ?? ""];
    if (text === withBlock(old, want)) {
      // Nobody else wrote to it: byte for byte as it was.
      yield* undoFiles({ path, before, now });
      return;
    }
    const block = blockOf(old, want);
    if (isDeepStrictEqual(blockOf(text, want), block)) return;
    const { mode, owner, group } = now.stat ?? {};
    yield* keepFile(now, { path, content: replaced(text, want, block ?? []), mode, owner, group });
  },
});

interface Want {
  readonly block: string;
  readonly path: string;
  readonly entries: readonly z.output<typeof Entry>[];
  readonly state: "present" | "absent";
}

const markers = ({ block }: Pick<Want, "block">) => [`# BEGIN ${block}`, `# END ${block}`] as const;

/** The text with the block as wanted: where it was, else at the end. */
function withBlock(text: string, want: Want): string {
  const [begin, end] = markers(want);
  const names = want.entries.map(({ address, names }) => `${address} ${names.join(" ")}`);
  return replaced(text, want, want.state === "absent" ? [] : [begin, ...names, end]);
}

/** The text with other lines in the block's place; all else keeps its bytes. */
function replaced(text: string, want: Want, block: readonly string[]): string {
  const { lines, first, last } = find(text, want);
  const own = block.map((line) => `${line}\n`);
  if (first >= 0) return lines.toSpliced(first, last - first + 1, ...own).join("");
  if (own.length === 0) return text;
  // Whoever left the end of the last line away keeps that line.
  return [text, text === "" || text.endsWith("\n") ? "" : "\n", ...own].join("");
}

/** The block's lines with its markers; undefined where there is none. */
function blockOf(text: string, want: Want): readonly string[] | undefined {
  const { lines, first, last } = find(text, want);
  return first < 0 ? undefined : lines.slice(first, last + 1).map((line) => line.trimEnd());
}

/** Where the block is among the lines, which have their ends; an editor may have made those CRLF. */
function find(text: string, want: Want) {
  const [begin, end] = markers(want);
  const lines = text.split(/(?<=\n)/);
  const at = (marker: string) => lines.findIndex((line) => line.trimEnd() === marker);
  const [first, last] = [at(begin), at(end)];
  if (first >= 0 !== last >= 0 || last < first)
    throw new PlaybookError("PB_BLOCK_BROKEN", [want.path, begin, end]);
  return { lines, first, last };
}
