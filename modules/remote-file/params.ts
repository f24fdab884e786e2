import { z } from "zod";
import { AbsolutePath, Account, DurationText, Line, Mode, Sha256, State, Url } from "../params.ts";

const Unpack = z.strictObject({
  strip: z.int().min(0).default(0).describe("How many leading parts of member paths to drop."),
  only: z
    .array(Line.min(1))
    .default([])
    .describe("Members to unpack, named as in the archive; all unless given."),
});

export const Params = z
  .strictObject({
    path: AbsolutePath.describe("The file, or the folder to unpack into."),
    url: Url.optional().describe("Where the host fetches it; IPv6 literals in brackets."),
    from: z
      .string()
      .min(1)
      .optional()
      .describe("In place of `url`: a path on the control machine, from where it is sent."),
    sha256: Sha256.optional().describe("The checksum of what is fetched or sent."),
    sha256Url: Url.optional().describe(
      "A file with the checksum: bare, or in lines of `<sha256>  <name>` as sha256sum prints.",
    ),
    unpack: Unpack.optional().describe(
      "It is a tar archive, compressed or not (gzip needs nothing; xz and zstd need their programs on the host).",
    ),
    name: z
      .string()
      .regex(/^[\w.-]+$/)
      .optional()
      .describe(
        "What the archive is called in the record, the same in all its versions; its file name up to the version unless given.",
      ),
    mode: Mode.default(0o644).describe("Permission bits of the file; 0o755 for programs."),
    owner: Account.default("root").describe("The file's owner."),
    group: Account.optional().describe("The file's group; the owner's name unless given."),
    timeout: DurationText.default("10m").describe("For fetching it."),
    state: State.describe("absent removes the file, or all that was unpacked."),
  })
  .refine((want) => (want.url === undefined) !== (want.from === undefined), {
    message: "expected either url or from",
  })
  .refine((want) => want.url === undefined || (want.sha256 ?? want.sha256Url) !== undefined, {
    message: "a url needs sha256 or sha256Url: nothing unchecked is put in place",
  });
export type Want = z.output<typeof Params>;
export type Unpacking = z.output<typeof Unpack>;
