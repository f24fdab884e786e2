/** The way back of a login. */
import { type Change, PlaybookError, run, setAttributes, sh } from "#engine/index.ts";
import { attributeDifference, type FileNow } from "../managed-file.ts";
import { undoFiles } from "../undo-file.ts";
import { type Keys, keysOf, type Passwd, sudoersOf } from "./login.ts";

interface Found {
  readonly passwd: Passwd | undefined;
  readonly groups: readonly string[];
  readonly sudoers: FileNow;
  readonly home: string;
  /** Whether the home that a new one would get is there. */
  readonly homeThere: boolean;
  readonly keys: Keys | undefined;
}

interface Want {
  readonly name: string;
  readonly state: "present" | "absent";
  readonly sudo?: "without-password" | undefined;
  readonly groups: readonly string[];
}

/** @throws PB_UNDO_LOST for a user that is taken away */
export function* undoUser(before: Found, now: Found, want: Want): Generator<Change> {
  const { name, state, sudo } = want;
  if (state === "absent" && before.passwd !== undefined)
    throw new PlaybookError("PB_UNDO_LOST", [`User ${name}`, "its password is not kept"]);
  if (state === "absent" || sudo !== undefined)
    yield* undoFiles({ path: sudoersOf(want), before: before.sudoers, now: now.sudoers });
  const [was, is] = [before.keys, now.keys];
  // A home that was made with the user goes as a whole.
  const homeStays = before.passwd !== undefined || before.homeThere;
  if (was !== undefined && is !== undefined && homeStays) yield* undoKeys(was, is, before.home);
  if (now.passwd === undefined) return;
  if (before.passwd === undefined) yield takeAway(name, before.homeThere ? undefined : now.home);
  else {
    yield* leaveGroups(before, now, want);
    yield* modifyBack(name, before.passwd, now.passwd);
  }
}

function* undoKeys(was: Keys, is: Keys, home: string): Generator<Change> {
  yield* undoFiles({ path: keysOf(home), before: was.file, now: is.file });
  if (was.folder === undefined || is.folder === undefined) return;
  const { mode, owner, group } = was.folder;
  const differs = attributeDifference(is.folder, { mode, owner, group });
  const path = `${home}/.ssh`;
  if (differs !== undefined)
    yield setAttributes(path, { mode, owner, group }, `${path}: ${differs}`);
}

// A home that was there before is somebody's; one that was made with the user goes with all that is in it.
const takeAway = (name: string, home: string | undefined): Change =>
  home === undefined
    ? run(sh`userdel -- ${name}`, `remove user ${name}`)
    : run(sh`userdel --remove -- ${name}`, `remove user ${name} with ${home}`);

function* leaveGroups(before: Found, now: Found, { name, groups }: Want): Generator<Change> {
  for (const group of groups.toReversed())
    if (now.groups.includes(group) && !before.groups.includes(group))
      yield run(sh`gpasswd --delete ${name} ${group}`, `${name}: leaves ${group}`);
}

function* modifyBack(name: string, before: Passwd, now: Passwd): Generator<Change> {
  const { comment, shell } = before;
  if (now.comment !== comment)
    yield run(
      sh`usermod --comment ${comment} -- ${name}`,
      `${name}: named ${comment || "nothing"}`,
    );
  if (now.shell !== shell)
    yield run(sh`usermod --shell ${shell} -- ${name}`, `${name}: shell ${now.shell} → ${shell}`);
}
