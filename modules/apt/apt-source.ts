/** A package source with the key that signs it. */
import { z } from "zod";
import { defineModule, PlaybookError } from "#engine/index.ts";
import { templateFile } from "#engine/template/template.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import { AbsolutePath, State, Url } from "../params.ts";
import { undoFiles } from "../undo-file.ts";
import { refuseWithoutApt } from "./apt-host.ts";

const Word = z.string().regex(/^[\w./+:][\w./+:-]*$/, "expected one word");
// White space would make it two.
const Keyring = AbsolutePath.regex(/^\S+$/, "expected a path without white space");
const render = templateFile(new URL("./apt-source.sources.hbs", import.meta.url));

const Params = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w-]+$/)
      .describe("Names the file <name>.sources."),
    uris: z.array(Url).min(1).describe("Where the archive is; IPv6 literals in brackets."),
    suites: z
      .array(Word)
      .min(1)
      .describe("As trixie, or a path that ends in / for a flat archive."),
    components: z.array(Word).default([]).describe("As main; none for a flat archive."),
    types: z
      .array(z.enum(["deb", "deb-src"]))
      .min(1)
      .default(["deb"])
      .describe("deb, deb-src."),
    architectures: z.array(Word).default([]).describe("As amd64; the host's own unless given."),
    key: z
      .string()
      .regex(/^-----BEGIN PGP PUBLIC KEY BLOCK-----/, "expected an armored OpenPGP public key")
      .optional()
      .describe("The key that signs the archive, armored; kept as /etc/apt/keyrings/<name>.asc."),
    signedBy: Keyring.optional().describe("In place of `key`: a keyring that is on the host."),
    state: State.describe("absent removes the source and its key."),
  })
  .refine(
    (want) => want.state === "absent" || (want.key === undefined) !== (want.signedBy === undefined),
    {
      message: "expected either key or signedBy: an archive that nobody signs is not used",
    },
  );

export const aptSource = defineModule({
  name: "apt-source",
  summary: "Keep a package source and its signing key; the next apt step fetches the new lists.",
  example: `use.aptSource({
  name: "debian",
  uris: ["http://[2001:db8:1::80]/debian"],
  suites: ["trixie", "trixie-updates"],
  components: ["main"],
  signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg",
})`,
  params: Params,

  async read(host, want) {
    refuseWithoutApt(host);
    const [source, key, keyring] = await Promise.all([
      readManaged(host, sourceOf(want)),
      readManaged(host, keyOf(want)),
      want.signedBy === undefined ? undefined : host.stat(want.signedBy),
    ]);
    return { source, key, keyring };
  },

  *diff(now, want) {
    if (want.state === "absent") {
      yield* keepAway(now.source, sourceOf(want));
      yield* keepAway(now.key, keyOf(want));
      return;
    }
    const { key, signedBy } = want;
    if (signedBy !== undefined && now.keyring === undefined)
      throw new PlaybookError("PB_APT_SOURCE", [want.name, `the keyring ${signedBy} is not there`]);
    // The key first: a source without it breaks every apt call on the host.
    if (key !== undefined)
      yield* keepFile(now.key, { path: keyOf(want), content: `${key.trimEnd()}\n` });
    const content = render({ ...want, signedBy: signedBy ?? keyOf(want) });
    yield* keepFile(now.source, { path: sourceOf(want), content });
  },

  *undo(before, now, want) {
    const source = { path: sourceOf(want), before: before.source, now: now.source };
    const key = { path: keyOf(want), before: before.key, now: now.key };
    // As above: a source goes before its key, and comes after it.
    yield* undoFiles(...(before.source.stat === undefined ? [source, key] : [key, source]));
  },
});

const sourceOf = ({ name }: { name: string }) => `/etc/apt/sources.list.d/${name}.sources`;
const keyOf = ({ name }: { name: string }) => `/etc/apt/keyrings/${name}.asc`;
