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
  setAttributes,
  sh,
} from "#engine/index.ts";
import { attributeDifference, keepAway, keepFile, readManaged } from "../managed-file.ts";
import { AbsolutePath, Account, FilePath, Line, State } from "../params.ts";
import { keyOf, PublicKey } from "./authorized-key.ts";
import {
  homeOf,
  isSudoersWord,
  type Keys,
  keysOf,
  type Passwd,
  parsePasswd,
  sudoersOf,
} from "./login.ts";
import { undoUser } from "./undo.ts";

/** Of a user, never a number: programs take one for a uid. */
const LoginName = Account.regex(/\D/, "expected a name, not a number");

const Fields = z.strictObject({
  name: LoginName.describe("The login name."),
  uid: z.int().min(0).optional().describe("Its number; the next free one unless given."),
  system: z.boolean().default(false).describe("A new one gets a number below 1000 and no home."),
  groups: z
    .array(Account)
    .default([])
    .describe("Further groups, which must be there; it stays in those that are not named."),
  shell: FilePath.optional().describe(
    "Its shell, /usr/sbin/nologin for none; /bin/bash for a new one and untouched for others unless given.",
  ),
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
const Params = Fields.refine(({ name, sudo }) => sudo === undefined || !isSudoersWord(name), {
  path: ["sudo"],
  message:
    "sudo takes a name that begins with a capital for a word of its own, and ALL for every user",
});
type Want = z.output<typeof Params>;

export const user = defineModule({
  name: "user",
  summary: "Keep a user there with its groups, shell, SSH keys and sudo, or keep it away.",
  example: `use.user({
  name: "deploy",
  sudo: "without-password",
  authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEE deploy"],
})`,
  params: Params,
  outputs: z.object({
    uid: z.number().optional().describe("Undefined where there is no such user."),
  }),

  async read(host, want) {
    const [entry, ids, known, sudoers, ownHome] = await Promise.all([
      lookUp(host, "passwd", [want.name]),
      host.run(sh`id -nG -- ${want.name}`),
      lookUp(host, "group", [...want.groups, want.name]),
      readManaged(host, sudoersOf(want), { folder: "packaged" }),
      host.stat(homeOf(want)),
    ]);
    const passwd = parsePasswd(entry);
    if (passwd !== undefined && ids.code !== 0)
      throw new PlaybookError("PB_ANSWER_INVALID", ["id", ids.stderr || `it exited ${ids.code}`]);
    const groups = ids.code === 0 ? ids.stdout.trim().split(/\s+/) : [];
    const existing = known.split("\n").map((line) => line.split(":")[0] ?? "");
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
    if (now.passwd === undefined) yield add(want, now.existing.includes(name));
    else yield* modify(now.passwd, now.groups, want);
    if (now.keys !== undefined) yield* keepKeys(now.keys, now, want);
    if (want.sudo !== undefined)
      yield* keepFile(now.sudoers, {
        path: sudoersOf(want),
        content: `${name} ALL=(ALL:ALL) NOPASSWD: ALL\n`,
        mode: 0o440,
      });
  },

  *undo(before, now, want) {
    yield* undoUser(before, now, want);
  },
});

/** @throws PB_ANSWER_INVALID where the database cannot tell, as when its directory server is away */
async function lookUp(host: Host, database: string, keys: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.run(sh`getent ${database} -- ${keys}`);
  // 2: some of the keys are not there (getent(1)).
  if (code === 0 || code === 2) return stdout;
  throw new PlaybookError("PB_ANSWER_INVALID", [
    `getent ${database}`,
    stderr || `it exited ${code}`,
  ]);
}

/** A group of its name may be there before it: a new user joins it then. */
function add(want: Want, ownGroup: boolean): Change {
  const { name, uid, system, groups, shell = "/bin/bash", comment } = want;
  const options = [
    ...(system ? ["--system"] : ["--create-home"]),
    ...(uid === undefined ? [] : ["--uid", String(uid)]),
    ...(groups.length === 0 ? [] : ["--groups", groups.join(",")]),
    ...(comment === undefined ? [] : ["--comment", comment]),
    ...(ownGroup ? ["--gid", name] : ["--user-group"]),
    ...["--home-dir", homeOf(want), "--shell", shell],
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
  if (shell !== undefined && now.shell !== shell)
    yield run(sh`usermod --shell ${shell} -- ${name}`, `${name}: shell ${now.shell} → ${shell}`);
  if (comment !== undefined && comment !== now.comment)
    yield run(sh`usermod --comment ${comment} -- ${name}`, `${name}: named ${comment}`);
  if (missing.length > 0)
    yield run(
      sh`usermod --append --groups ${missing.join(",")} -- ${name}`,
      `${name}: joins ${missing.join(", ")}`,
    );
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

// Whoever is cut off between making the folder and giving it away leaves one that sshd takes no keys from.
function* keepKeys(
  { folder, file }: Keys,
  { home, groups }: { readonly home: string; readonly groups: readonly string[] },
  want: Want,
): Generator<Change> {
  const [primary = want.name] = groups;
  const theirs = (stat: FileStat | undefined) => ({
    owner: want.name,
    group: stat?.owner === want.name ? stat.group : primary,
  });
  const path = `${home}/.ssh`;
  const attributes = { mode: 0o700, ...theirs(folder) };
  const differs = folder && attributeDifference(folder, attributes);
  if (folder === undefined) yield makeDirectory(path, attributes);
  else if (differs !== undefined) yield setAttributes(path, attributes, `${path}: ${differs}`);
  const wanted = want.authorizedKeys ?? [];
  const content = asSaved(file.content, wanted) ?? wanted.map((key) => `${key}\n`).join("");
  const keys = { path: keysOf(home), content, mode: 0o600, ...theirs(file.stat) };
  yield* keepFile({ ...file, lacks: [] }, keys);
}

/** What is there, where it has the same keys in another order: sshd heeds that only where a key is there twice. */
function asSaved(saved: string | undefined, wanted: readonly string[]): string | undefined {
  const isOnce = new Set(wanted.map(keyOf)).size === wanted.length;
  if (!isOnce || saved === undefined) return undefined;
  const lines = saved.split("\n");
  return lines.pop() === "" && sameSet(lines, wanted) ? saved : undefined;
}

const sameSet = (some: readonly string[], others: readonly string[]): boolean =>
  some.toSorted().join("\n") === others.toSorted().join("\n");
