import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
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
  readonly hostKeyTypes?: readonly ("ed25519" | "rsa" | "ecdsa")[];
}

/** A real OpenSSH server of one's own on a free port of [::1], with keys, config and files in a temporary folder. */
export async function startSshd({
  config = [],
  hostKeyTypes = ["ed25519"],
}: SshdOptions = {}): Promise<Sshd> {
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
    ...config,
  ];
  writeFileSync(join(folder, "sshd_config"), `${lines.join("\n")}\n`);
  const server = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", join(folder, "sshd_config")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
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
