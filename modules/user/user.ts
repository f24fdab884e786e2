/** A login: its groups, shell and SSH keys. */
import { z } from "zod";
import {
  type Change,
  defineModule,
  type FileStat,
  type Host,
  makeDirectory,
  PlaybookError,
  run,
  sh,
} from "#engine/index.ts";
import { type FileNow, keepAway, keepFile, readManaged } from "../managed-file.ts";
import { AbsolutePath, Account, Line, State } from "../params.ts";
import { undoFiles } from "../undo-file.ts";

const PublicKey = Line.regex(
  /^([a-z][\w=",. /:*@-]* )?(ssh-|ecdsa-|sk-)[\w@.-]+ [A-Za-z0-9+/=]{40,}( .*)?$/,
  "expected a public key as in id_ed25519.pub",
);

const Params = z.strictObject({
  name: Account.describe("The login name."),
  uid: z.int().min(0).optional().describe("Its number; the next free one unless given."),
  system: z.boolean().default(false).describe("A new one gets a number below 1000 and no home."),
  groups: z
    .array(Account)
    .default([])
    .describe("Further groups, which must be there; it stays in those that are not named."),
  shell: AbsolutePath.default("/bin/bash").describe("Its shell; /usr/sbin/nologin for none."),
  home: AbsolutePath.optional().describe("Its home folder; /home/<name> unless given."),
  comment: Line.refine((text) => !text.includes(":"), "expected no colon")
    .optional()
    .describe("Its full name."),
  authorizedKeys: z
    .array(PublicKey)
    .optional()
    .describe("The SSH keys that may log in, these and no others; untouched unless given."),
  sudo: z
    .enum(["without-password"])
    .optional()
    .describe("May become root by sudo; untouched unless given."),
  removeHome: z.boolean().default(false).describe("With absent: its home and mail go too."),
  state: State,
});
type Want = z.output<typeof Params>;

interface Passwd {
  readonly uid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

export const user = defineModule({
  name: "user",
  summary: "Keep a user there with its groups, shell, SSH keys and sudo, or keep it away.",
  example: `use.user({
  name: "deploy",
  sudo: "without-password",
  authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE deploy"],
})`,
  params: Params,
  outputs: z.object({
    uid: z.number().optional().describe("Undefined where there is no such user."),
  }),

  async read(host, want) {
    const [entry, ids, known, sudoers, ownHome] = await Promise.all([
      host.run(sh`getent passwd -- ${want.name}`),
      host.run(sh`id -nG -- ${want.name}`),
      host.run(sh`getent group -- ${want.groups}`),
      readManaged(host, sudoersOf(want), { folder: "packaged" }),
      host.stat(homeOf(want)),
    ]);
    const passwd = parsePasswd(entry.stdout);
    const groups = ids.code === 0 ? ids.stdout.trim().split(/\s+/) : [];
    const existing = known.stdout.split("\n").map((line) => line.split(":")[0] ?? "");
    const home = passwd?.home ?? homeOf(want);
    const keys = want.authorizedKeys === undefined ? undefined : await readKeys(host, home);
    const homeThere = ownHome !== undefined;
    return { uid: passwd?.uid, passwd, groups, existing, sudoers, home, homeThere, keys };
  },

  *diff(now, want) {
    const { name } = want;
    if (want.state === "absent") {
      yield* keepAway(now.sudoers, sudoersOf(want));
      const how = want.removeHome ? ["--remove"] : [];
      if (now.passwd !== undefined) yield run(sh`userdel ${how} -- ${name}`, `remove user ${name}`);
      return;
    }
    const lacking = want.groups.filter((group) => !now.existing.includes(group));
    if (lacking.length > 0)
      throw new PlaybookError("PB_USER_CONFLICT", [
        name,
        `there is no group ${lacking.join(", ")}`,
      ]);
    if (now.passwd === undefined) yield add(want);
    else yield* modify(now.passwd, now.groups, want);
    if (now.keys !== undefined) yield* keepKeys(now.keys, now.home, want);
    if (want.sudo !== undefined)
      yield* keepFile(now.sudoers, {
        path: sudoersOf(want),
        content: `${name} ALL=(ALL:ALL) NOPASSWD: ALL\n`,
        mode: 0o440,
      });
  },

  *undo(before, now, want) {
    const { name, state, sudo } = want;
    if (state === "absent" && before.passwd !== undefined)
      throw new PlaybookError("PB_UNDO_LOST", [`User ${name}`, "its password is not kept"]);
    if (state === "absent" || sudo !== undefined)
      yield* undoFiles({ path: sudoersOf(want), before: before.sudoers, now: now.sudoers });
    const [was, is] = [before.keys, now.keys];
    // A home that was made with the user goes as a whole.
    const homeStays = before.passwd !== undefined || before.homeThere;
    if (was !== undefined && is !== undefined && homeStays)
      yield* undoFiles({ path: keysOf(before.home), before: was.file, now: is.file });
    if (before.passwd === undefined) {
      if (now.passwd !== undefined) yield takeAway(name, before.homeThere ? undefined : now.home);
      return;
    }
    if (now.passwd !== undefined) yield* undoModify(before, { ...now, passwd: now.passwd }, want);
  },
});

// A home that was there before is somebody's; one that was made with the user goes with all that is in it.
const takeAway = (name: string, home: string | undefined): Change =>
  home === undefined
    ? run(sh`userdel -- ${name}`, `remove user ${name}`)
    : run(sh`userdel --remove -- ${name}`, `remove user ${name} with ${home}`);

interface Login {
  readonly passwd: Passwd | undefined;
  readonly groups: readonly string[];
}

function* undoModify(
  before: Login,
  { passwd: is, groups }: Login & { readonly passwd: Passwd },
  { name, groups: wanted }: Want,
): Generator<Change> {
  const { shell = is.shell, comment = is.comment } = before.passwd ?? {};
  for (const group of wanted.toReversed())
    if (groups.includes(group) && !before.groups.includes(group))
      yield run(sh`gpasswd --delete ${name} ${group}`, `${name}: leaves ${group}`);
  if (is.comment !== comment)
    yield run(
      sh`usermod --comment ${comment} -- ${name}`,
      `${name}: named ${comment || "nothing"}`,
    );
  if (is.shell !== shell)
    yield run(sh`usermod --shell ${shell} -- ${name}`, `${name}: shell ${is.shell} → ${shell}`);
}

// sudo skips files whose names hold a dot.
const sudoersOf = ({ name }: Want) => `/etc/sudoers.d/run-playbook-${name.replaceAll(".", "_")}`;
const keysOf = (home: string) => `${home}/.ssh/authorized_keys`;
const homeOf = ({ name, home }: Want) => home ?? (name === "root" ? "/root" : `/home/${name}`);

function parsePasswd(line: string): Passwd | undefined {
  const [name, , uid, , comment, home, shell] = line.trim().split(":");
  if (!name || uid === undefined) return undefined;
  return { uid: Number(uid), comment: comment ?? "", home: home ?? "", shell: shell ?? "" };
}

function add(want: Want): Change {
  const { name, uid, system, groups, shell, comment } = want;
  const options = [
    ...(system ? ["--system"] : ["--create-home"]),
    ...(uid === undefined ? [] : ["--uid", String(uid)]),
    ...(groups.length === 0 ? [] : ["--groups", groups.join(",")]),
    ...(comment === undefined ? [] : ["--comment", comment]),
    ...["--user-group", "--home-dir", homeOf(want), "--shell", shell],
  ];
  return run(sh`useradd ${options} -- ${name}`, `add user ${name}`);
}

function* modify(now: Passwd, groups: readonly string[], want: Want): Generator<Change> {
  const { name, uid, shell, comment, home } = want;
  // Its files would belong to nobody, or to somebody else.
  if (uid !== undefined && uid !== now.uid)
    throw new PlaybookError("PB_USER_CONFLICT", [name, `its number is ${now.uid}, not ${uid}`]);
  if (home !== undefined && home !== now.home)
    throw new PlaybookError("PB_USER_CONFLICT", [name, `its home is ${now.home}, not ${home}`]);
  const missing = want.groups.filter((group) => !groups.includes(group));
  if (now.shell !== shell)
    yield run(sh`usermod --shell ${shell} -- ${name}`, `${name}: shell ${now.shell} → ${shell}`);
  if (comment !== undefined && comment !== now.comment)
    yield run(sh`usermod --comment ${comment} -- ${name}`, `${name}: named ${comment}`);
  if (missing.length > 0)
    yield run(
      sh`usermod --append --groups ${missing.join(",")} -- ${name}`,
      `${name}: joins ${missing.join(", ")}`,
    );
}

interface Keys {
  readonly folder: FileStat | undefined;
  readonly file: FileNow;
}

async function readKeys(host: Host, home: string): Promise<Keys> {
  const [folder, file] = await Promise.all([
    host.stat(`${home}/.ssh`),
    readManaged(host, keysOf(home)),
  ]);
  // The user owns the home: a symlink put there would have root write elsewhere.
  if (folder !== undefined && folder.kind !== "directory")
    throw new PlaybookError("PB_WRONG_KIND", [`${home}/.ssh`, folder.kind, "directory"]);
  return { folder, file };
}

function* keepKeys({ folder, file }: Keys, home: string, want: Want): Generator<Change> {
  const owner = { owner: want.name, group: file.stat?.group ?? folder?.group ?? want.name };
  if (folder === undefined) yield makeDirectory(`${home}/.ssh`, { mode: 0o700, ...owner });
  const content = (want.authorizedKeys ?? []).map((key) => `${key}\n`).join("");
  yield* keepFile({ ...file, lacks: [] }, { path: keysOf(home), content, mode: 0o600, ...owner });
}
