/** One directory. */
import { posix } from "node:path";
import { z } from "zod";
import {
  defineModule,
  makeDirectory,
  PlaybookError,
  remove,
  setAttributes,
} from "#engine/index.ts";
import { attributeDifference, lackingFolders } from "../managed-file.ts";
import { AbsolutePath, Account, Mode, State } from "../params.ts";
import { undoFolders } from "../undo-file.ts";

export const directory = defineModule({
  name: "directory",
  summary:
    "Keep a directory there with its mode and owner, or keep it away with all that is in it.",
  example: `use.directory({ path: "/var/lib/etcd", mode: 0o700 })`,

  params: z
    .strictObject({
      path: AbsolutePath.describe("Where it is; missing parents are made with mode 0755."),
      mode: Mode.default(0o755).describe("Permission bits, as 0o700."),
      owner: Account.default("root").describe("Its owner; what is inside keeps its own."),
      group: Account.optional().describe("Its group; the owner's name unless given."),
      state: State.describe("absent removes it with all that is in it."),
    })
    .refine(
      ({ path, state }) =>
        state === "present" || posix.normalize(path).split("/").filter(Boolean).length > 1,
      { message: "a directory directly under / is never removed" },
    ),

  async read(host, want) {
    const stat = await host.stat(want.path);
    return { stat, lacks: stat === undefined ? await lackingFolders(host, want.path) : [] };
  },

  *diff({ stat }, { path, mode, owner, group = owner, state }) {
    if (state === "absent") {
      if (stat !== undefined) yield remove(path);
      return;
    }
    if (stat === undefined) {
      yield makeDirectory(path, { mode, owner, group });
      return;
    }
    if (stat.kind !== "directory")
      throw new PlaybookError("PB_WRONG_KIND", [path, stat.kind, "directory"]);
    const say = attributeDifference(stat, { mode, owner, group });
    if (say !== undefined) yield setAttributes(path, { mode, owner, group }, `${path}: ${say}`);
  },

  *undo(before, now, { path, state }) {
    const { stat } = before;
    if (stat === undefined) {
      yield* undoFolders(
        [...before.lacks, path],
        now.stat === undefined ? [...now.lacks, path] : [],
      );
      return;
    }
    if (state === "absent")
      throw new PlaybookError("PB_UNDO_LOST", [path, "what is in it is not kept"]);
    const say = now.stat === undefined ? undefined : attributeDifference(now.stat, stat);
    const { mode, owner, group } = stat;
    if (say !== undefined) yield setAttributes(path, { mode, owner, group }, `${path}: ${say}`);
  },
});
