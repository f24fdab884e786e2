/** One file with given content, or a symlink. */
import { z } from "zod";
import {
  type Change,
  defineModule,
  isSecret,
  makeDirectory,
  PlaybookError,
  run,
  type Secret,
  sh,
} from "#engine/index.ts";
import { type FileNow, keepAway, keepFile, readManaged } from "../managed-file.ts";
import { Account, Content, FileMode, FilePath, Line, State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";

const Params = z
  .strictObject({
    path: FilePath.describe("Where it is; missing parents are made."),
    content: z
      .union([Content, z.custom<Secret>(isSecret, "expected text or a secret")])
      .optional()
      .describe("The whole content; a secret is neither shown nor diffed."),
    linkTo: Line.min(1).optional().describe("In place of `content`: a symlink with this target."),
    mode: FileMode,
    owner: Account.default("root").describe("Its owner."),
    group: Account.optional().describe("Its group; the owner's name unless given."),
    state: State,
  })
  .refine(
    (want) =>
      want.state === "absent" || (want.content === undefined) !== (want.linkTo === undefined),
    { message: "expected either content or linkTo" },
  );
type Want = z.output<typeof Params>;

export const file = defineModule({
  name: "file",
  summary: "Keep one file's content, mode and owner, or a symlink.",
  example: `use.file({ path: "/etc/motd", content: "Managed by run-playbook.\\n" })`,
  params: Params,

  async read(host, want) {
    return readManaged(host, want.path);
  },

  *diff(now, want) {
    const { path, content, linkTo } = want;
    if (want.state === "absent") yield* keepAway(now, path);
    else if (linkTo !== undefined) yield* keepLink(now, want, linkTo);
    else if (content !== undefined) yield* keepFile(now, { ...want, content });
  },

  *undo(before, now, { path, content }) {
    yield* undoFiles({ path, before, now, secret: isSecret(content) });
  },
});

function* keepLink(now: FileNow, { path }: Want, target: string): Generator<Change> {
  const { stat, lacks } = now;
  if (stat?.kind === "symlink" && stat.target === target) return;
  // A symlink in place of a file would lose what is in the file: that is for a person to decide.
  if (stat?.kind === "file") throw new PlaybookError("PB_WRONG_KIND", [path, "file", "symlink"]);
  if (lacks.length > 0) yield makeDirectory(path.slice(0, path.lastIndexOf("/")));
  const was = stat === undefined ? "" : ` (was ${stat.target})`;
  yield run(sh`ln -sfn -- ${target} ${path}`, `link ${path} to ${target}${was}`);
}
