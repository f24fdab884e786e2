import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2, { type Server, type ServerChannel } from "ssh2";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Connection } from "#engine/host/connection.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";

let folder: string;
let server: Server;
let host: Connection;

/** ssh2's own server sends no exit code after the end of output, sshd does: so past its checks. */
function sendExit(channel: ServerChannel, code: number): void {
  const { _client, outgoing } = channel as unknown as {
    _client: { _protocol: { exitStatus(id: number, code: number): void } };
    outgoing: { id: number; state: string };
  };
  // Where the client has closed the channel already, sshd keeps the code to itself.
  if (outgoing.state === "eof") _client._protocol.exitStatus(outgoing.id, code);
  channel.close();
}

/** A server that tells the end of the output well before the exit code, as sshd may. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "exit-"));
  const key = join(folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  server = new ssh2.Server({ hostKeys: [readFileSync(key)] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => context.accept());
    client.on("session", (accept) => {
      accept().on("exec", (agree, _reject, { command }) => {
        const channel = agree();
        const child = spawn("/bin/sh", ["-c", command]);
        channel.pipe(child.stdin).on("error", () => undefined);
        child.stdout.pipe(channel, { end: false });
        child.stderr.pipe(channel.stderr, { end: false });
        child.once("close", (code) => {
          channel.eof();
          setTimeout(() => sendExit(channel, code ?? 1), 100);
        });
      });
    });
  });
  server.listen(0, "::1");
  await once(server, "listening");
  host = await sshTransport({ configFiles: [], env: {} }).connect({
    name: "late",
    address: "::1",
    port: (server.address() as { port: number }).port,
    user: "me",
    identityFile: key,
    knownHostsFile: join(folder, "known_hosts"),
    hostKeys: "accept-new",
  });
});
afterAll(async () => {
  await host.close();
  server.close();
  rmSync(folder, { recursive: true });
});

it("an exit code that comes after the end of all output still counts", async () => {
  const missing = host.download("/no/such/file", join(folder, "out"));
  await expect(missing).rejects.toMatchObject({ code: "PB_READ_FAILED" });
  const write = host.writeFile("/no/such/folder/file", Buffer.alloc(400_000));
  await expect(write).rejects.toMatchObject({ code: "PB_WRITE_FAILED" });
});
