/** A package source with the key that signs it. */
import { z } from "zod";
import { defineModule, PlaybookError, script } from "#engine/index.ts";
import { templateFile } from "#engine/template/template.ts";
import { keepAway, keepFile, readManaged } from "../managed-file.ts";
import { FilePath, State, Url } from "../params.ts";
import { undoFiles } from "../undo-file.ts";
import { refuseWithoutApt } from "./apt-host.ts";

const Word = z.string().regex(/^[\w./+:][\w./+:-]*$/, "expected one word");
// White space would make it two.
const Keyring = FilePath.regex(/^\S+$/, "expected a path without white space");
const render = templateFile(new URL("./apt-source.sources.hbs", import.meta.url));

const isFlat = (suite: string) => suite.endsWith("/");

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
  )
  // apt reads no list of packages any more while one of its sources makes no sense.
  .refine(
    ({ state, suites, components }) =>
      state === "absent" || suites.every((one) => isFlat(one) === (components.length === 0)),
    {
      path: ["components"],
      message: "expected none where a suite ends in /, and some, as main, where none does",
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
    const content = contentOf(want);
    const clash =
      want.state === "absent" || source.content === content
        ? ""
        : await host.text(script(TRY, sourceOf(want), content));
    return { source, key, keyring, clash };
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
    if (now.clash !== "") throw new PlaybookError("PB_APT_SOURCE", [want.name, now.clash]);
    // The key first: a source without it breaks every apt call on the host.
    if (key !== undefined)
      yield* keepFile(now.key, { path: keyOf(want), content: `${key.trimEnd()}\n` });
    yield* keepFile(now.source, { path: sourceOf(want), content: contentOf(want) });
  },

  *undo(before, now, want) {
    const source = { path: sourceOf(want), before: before.source, now: now.source };
    const key = { path: keyOf(want), before: before.key, now: now.key };
    // As above: a source goes before its key, and comes after it.
    yield* undoFiles(...(before.source.stat === undefined ? [source, key] : [key, source]));
  },
});

/**
 * What apt says of all sources with this one among them, as of one archive with two keys: then no apt call on the host
 * works. Empty where it takes them; a key that is to come is not missed. Arguments: the file, its content.
 */
const TRY = `# apt-source-try
all=$(mktemp -d) || exit
trap 'rm -rf "$all"' EXIT
for file in /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  [ ! -e "$file" ] || cp "$file" "$all" || exit
done
printf '%s' "$2" >"$all/\${1##*/}" || exit
LC_ALL=C apt-get -o "Dir::Etc::SourceParts=$all" indextargets 2>&1 >/dev/null | sed -n 's/^E: //p' | head -n 1`;

const contentOf = (want: z.output<typeof Params>): string =>
  render({ ...want, signedBy: want.signedBy ?? keyOf(want) });

const sourceOf = ({ name }: { name: string }) => `/etc/apt/sources.list.d/${name}.sources`;
const keyOf = ({ name }: { name: string }) => `/etc/apt/keyrings/${name}.asc`;
