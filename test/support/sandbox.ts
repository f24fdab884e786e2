import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "#engine/host/connection.ts";
import { ShellConnection } from "#engine/host/shell/connection.ts";
import type { Pipe } from "#engine/host/shell/pipe.ts";

/** One program that was started, with its arguments. */
export type Started = readonly [program: string, ...args: string[]];

/** What the scripts of modules need to work as they do on a host; all else only takes note. */
const REAL =
  "[ awk base64 basename bash cat chmod chown cmp cp cut date dirname env expr false find getent grep head id ln " +
  "ls mkdir mktemp mv nproc od printf readlink rm rmdir sed setsid sh sha256sum sort stat sync tail tar tee test " +
  "timeout touch tr true uname uniq wc xargs";

const FOLDERS =
  "bin dev etc home lib lib64 log programs proc real root run sbin srv sys tmp usr var/lib var/log";

/**
 * A machine of its own for real shells, in namespaces and a root folder that go away with it: /usr is the machine's and
 * cannot be written, there is no network and no other process. Whatever program is started is noted with its arguments;
 * those that are not in every system do nothing else. Needs root, or user namespaces.
 */
export class Sandbox implements AsyncDisposable {
  readonly root: string;
  readonly connection: Connection;
  readonly #shells = new Set<ChildProcess>();

  /** `programs` are the names that are found on its PATH. */
  constructor(programs: Iterable<string>) {
    this.root = mkdtempSync(join(tmpdir(), "sandbox-"));
    chmodSync(this.root, 0o755);
    for (const folder of FOLDERS.split(" "))
      mkdirSync(join(this.root, folder), { recursive: true });
    for (const device of ["null", "zero", "urandom"]) this.write(`dev/${device}`, "");
    this.write("etc/passwd", readFileSync("/etc/passwd", "utf8"));
    this.write("etc/group", readFileSync("/etc/group", "utf8"));
    this.write("log/started", "");
    this.write("programs/.note", NOTE);
    chmodSync(join(this.root, "programs/.note"), 0o755);
    const real = REAL.split(" ");
    for (const name of real) symlinkSync(`/usr/bin/${name}`, join(this.root, "real", name));
    for (const name of new Set([...programs, ...real]))
      symlinkSync(".note", join(this.root, "programs", name));
    this.connection = new ShellConnection({
      open: async (line) => this.#open(line),
      identity: { host: "sandbox", loginUser: "root" },
      lost: new Promise(() => undefined),
      end: async () => undefined,
    });
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
  }

  /** What was started since this was last asked. */
  started(): Started[] {
    const file = join(this.root, "log/started");
    const words = readFileSync(file, "utf8").split("\0");
    truncateSync(file);
    const found: Started[] = [];
    let from = 0;
    words.forEach((word, at) => {
      if (word !== END) return;
      const [program = "", ...args] = words.slice(from, at);
      found.push([program, ...args]);
      from = at + 1;
    });
    return found;
  }

  /** Takes away what the last test left, so that the next one finds an empty machine. */
  clear(): void {
    for (const folder of ["home", "root", "run", "srv", "tmp", "var"])
      for (const name of readdirSync(join(this.root, folder)))
        rmSync(join(this.root, folder, name), { recursive: true, force: true });
    for (const name of readdirSync(join(this.root, "etc")))
      if (name !== "passwd" && name !== "group")
        rmSync(join(this.root, "etc", name), { recursive: true, force: true });
    mkdirSync(join(this.root, "var/lib"), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
    const living = [...this.#shells].filter((shell) => shell.exitCode === null);
    await Promise.all(
      living.map(async (shell) => {
        const ended = once(shell, "exit");
        shell.kill("SIGKILL");
        await ended;
      }),
    );
    rmSync(this.root, { recursive: true, force: true });
  }

  #open(line: string): Pipe {
    const shell = spawn("unshare", [...NAMESPACES, "sh", "-c", ENTER, this.root, line], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#shells.add(shell);
    const closed = once(shell, "close").then(([code, signal]) => {
      this.#shells.delete(shell);
      return { ...(code !== null && { code }), ...(signal !== null && { signal }) };
    });
    const destroy = () => {
      shell.kill("SIGKILL");
    };
    const { stdin, stdout, stderr } = shell;
    return { stdin, stdout, stderr, closed, destroy };
  }
}

const END = "\x01end\x01";

// One write of one line, so that programs which are started together do not mix theirs.
const NOTE = `#!/usr/bin/sh
name=\${0##*/}
printf '%s\\0' "$name" "$@" '${END}' >>/log/started
[ -e "/real/$name" ] && exec "/real/$name" "$@"
exit 0
`;

const isRoot = process.getuid?.() === 0;

const NAMESPACES = [
  ...(isRoot ? [] : ["--user", "--map-root-user"]),
  ...["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"],
  ...["--propagation", "private"],
];

// What could change the machine through /proc is read-only; the rest of it shows only what is in here.
const ENTER = `
set -e
cd "$0"
for folder in usr bin lib lib64 sbin; do
  mount --rbind "/$folder" "$folder"
  mount -o remount,bind,ro "$folder"
done
for device in null zero urandom; do mount --bind "/dev/$device" "dev/$device"; done
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
[ ! -e proc/sysrq-trigger ] || mount --bind /dev/null proc/sysrq-trigger
exec chroot . /usr/bin/env -i HOME=/root PATH=/programs /usr/bin/sh -c "$1"
`;

/** Whether this machine lets one make namespaces. */
export const canUnshare = (): boolean => {
  try {
    execFileSync("unshare", [...NAMESPACES, "true"], { stdio: "ignore" });
    return existsSync("/usr/bin/sh");
  } catch {
    return false;
  }
};
