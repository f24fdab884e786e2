import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Target } from "#engine/host/connection.ts";

export interface Sshd {
  readonly port: number;
  readonly folder: string;
  /** A target that is let in: right key, right host key. */
  readonly target: Target;
  readonly knownHostsFile: string;
  readonly identityFile: string;
  /** What sshd said so far (-e). */
  log(): string;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
  /** Variables of all sessions; the run's folder is one of its own unless given. */
  readonly env?: Readonly<Record<string, string>>;
  readonly hostKeyTypes?: readonly ("ed25519" | "rsa" | "ecdsa")[];
  /**
   * Users that only this server's sessions see, with lines for sudoers: in a mount namespace of its own, so that
   * nothing of the machine changes. Needs root.
   */
  readonly users?: readonly {
    readonly name: string;
    readonly passwordHash?: string;
    readonly sudo?: string;
  }[];
}

const words = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

/** A real OpenSSH server of one's own on a free port of [::1], with keys, config and files in a temporary folder. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const { config = [], env = {}, hostKeyTypes = ["ed25519"], users = [] } = options;
  // Below /var/tmp or /tmp the folder's parents are root's, as StrictModes wants them.
  const folder = mkdtempSync(join(tmpdir(), "sshd-"));
  chmodSync(folder, 0o755);
  const keygen = (path: string, type: string) =>
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "test", "-f", path]);
  for (const type of hostKeyTypes) keygen(join(folder, `host_${type}`), type);
  const identityFile = join(folder, "id");
  keygen(identityFile, "ed25519");
  copyFileSync(`${identityFile}.pub`, join(folder, "authorized_keys"));
  mkdirSync("/run/sshd", { recursive: true });

  const port = await freePort();
  const lines = [
    `ListenAddress [::1]:${port}`,
    ...hostKeyTypes.map((type) => `HostKey ${join(folder, `host_${type}`)}`),
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    "PidFile none",
    "StrictModes no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin prohibit-password",
    "UsePAM no",
    "Subsystem sftp internal-sftp",
    // One line, as sshd heeds only the first. A host of its own: runs of other tests on this machine keep nobody out.
    `SetEnv ${words({ RUN_PLAYBOOK_RUN_DIR: join(folder, "run"), ...env })}`,
    ...config,
  ];
  // OpenSSH 9.8 and later lock out a source of failed logins, which is what tests are.
  const known = spawnSync("/usr/sbin/sshd", [
    "-T",
    "-o",
    "PerSourcePenalties=no",
    "-f",
    "/dev/null",
  ]);
  if (!known.stderr.toString().includes("PerSourcePenalties")) lines.push("PerSourcePenalties no");
  writeFileSync(join(folder, "sshd_config"), `${lines.join("\n")}\n`);
  const daemon = ["/usr/sbin/sshd", "-D", "-e", "-f", join(folder, "sshd_config")];
  const [program = "", ...args] = users.length > 0 ? withUsers(folder, users, daemon) : daemon;
  const server = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  server.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await listening(server, () => said);

  const knownHostsFile = join(folder, "known_hosts");
  const keys = hostKeyTypes.map((type) => readFileSync(join(folder, `host_${type}.pub`), "utf8"));
  writeFileSync(knownHostsFile, keys.map((key) => `[::1]:${port} ${key.trim()}\n`).join(""));
  return {
    port,
    folder,
    knownHostsFile,
    identityFile,
    target: {
      name: "sshd",
      address: "::1",
      port,
      user: userInfo().username,
      identityFile,
      knownHostsFile,
    },
    log: () => said,
    async stop() {
      if (server.exitCode === null && server.signalCode === null) {
        const ended = once(server, "exit");
        server.kill("SIGTERM");
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The command under a private /etc/passwd, shadow, group and sudoers; its process stays the one that was started. */
function withUsers(
  folder: string,
  users: NonNullable<SshdOptions["users"]>,
  command: readonly string[],
): string[] {
  const etc = (file: string) => readFileSync(join("/etc", file), "utf8");
  const lines = users.map(({ name, passwordHash = "*", sudo }, index) => {
    const id = 52_000 + index;
    mkdirSync(join(folder, name));
    chownSync(join(folder, name), id, id);
    return {
      passwd: `${name}:x:${id}:${id}::${join(folder, name)}:/bin/sh\n`,
      shadow: `${name}:${passwordHash}:19000:0:99999:7:::\n`,
      group: `${name}:x:${id}:\n`,
      sudoers: sudo === undefined ? "" : `${name} ${sudo}\n`,
    };
  });
  const all = (key: "passwd" | "shadow" | "group" | "sudoers") =>
    lines.map((line) => line[key]).join("");
  const files = {
    passwd: etc("passwd") + all("passwd"),
    shadow: etc("shadow") + all("shadow"),
    group: etc("group") + all("group"),
    sudoers: `Defaults !lecture\nroot ALL=(ALL:ALL) ALL\n${all("sudoers")}`,
  };
  const modes = { passwd: 0o644, shadow: 0o600, group: 0o644, sudoers: 0o440 };
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(join(folder, file), text);
    chmodSync(join(folder, file), modes[file as keyof typeof modes]);
  }
  const mounts = Object.keys(files).map((file) => `mount --bind "$0/${file}" "/etc/${file}" && `);
  const script = `${mounts.join("")}exec "$@"`;
  return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, folder, ...command];
}

async function listening(server: ChildProcess, said: () => string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (said().includes("Server listening")) resolve();
    };
    server.stderr?.on("data", look);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`sshd ended with ${code}: ${said()}`)));
  });
}

/** A port of [::1] that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "::1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
