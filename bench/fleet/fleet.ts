/** Thousands of simulated hosts, in processes of their own on this machine. */
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchHosts } from "../hosts.ts";

const FIRST_PORT = 20_000;
const PROCESSES = 4;

export interface Fleet extends AsyncDisposable {
  readonly hosts: BenchHosts;
}

/** Hosts on ports of [::1], all with one host key; any key of a user opens them. */
export async function startFleet(count: number, folder: string): Promise<Fleet> {
  const hostKey = newKey(join(folder, "host"));
  const identityFile = newKey(join(folder, "user"));
  const [, key = ""] = (await readFile(`${hostKey}.pub`, "utf8")).split(" ");
  const each = Math.ceil(count / PROCESSES);
  const children = Array.from({ length: PROCESSES }, (_, index) => {
    const args = [hostKey, FIRST_PORT + index * each, each].map(String);
    return fork(join(import.meta.dirname, "server.ts"), args, {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
  });
  await Promise.all(children.map(({ stdout }) => stdout && once(stdout, "data")));
  const hosts = Array.from({ length: count }, (_, index) => ({
    name: `s${index}`,
    address: "::1",
    port: FIRST_PORT + index,
    key,
  }));
  const knownHostsFile = join(folder, "known_hosts");
  const lines = hosts.map(({ port }) => `[::1]:${port} ssh-ed25519 ${key}\n`);
  await writeFile(knownHostsFile, lines.join(""));
  return {
    hosts: { hosts, identityFile, knownHostsFile },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        children.map(async (child) => {
          const ended = once(child, "exit");
          child.disconnect();
          await ended;
        }),
      );
    },
  };
}

function newKey(file: string): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", file]);
  return file;
}
