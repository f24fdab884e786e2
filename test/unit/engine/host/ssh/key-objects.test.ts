import { KeyObject, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "ssh2";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { useKeyObjects } from "#engine/host/ssh/key-objects.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { type Sshd, startSshd } from "../../../../support/sshd.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

interface Keys {
  readonly _protocol: {
    readonly _cipher: { readonly _encKey: unknown };
    readonly _decipher: { readonly _decipherKey: unknown };
  };
}

describe("against a real server", () => {
  let sshd: Sshd;
  const content = randomBytes(6_000_000);
  const servers: Sshd[] = [];
  const serverWith = async (...config: string[]) => {
    const server = await startSshd({ config });
    servers.push(server);
    writeFileSync(join(server.folder, "from"), content);
    return server;
  };
  beforeAll(async () => {
    sshd = await serverWith();
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  test("ssh2 still keeps its keys where they are looked for", async () => {
    const client = new Client();
    useKeyObjects(client);
    const ready = new Promise<void>((resolve, reject) => {
      client.once("ready", resolve).once("error", reject);
    });
    const { port, user } = sshd.target;
    const privateKey = readFileSync(sshd.identityFile);
    client.connect({ host: "::1", port: port ?? 0, username: user ?? "", privateKey });
    await ready;
    const { _cipher, _decipher } = (client as unknown as Keys)._protocol;
    expect(_cipher._encKey).toBeInstanceOf(KeyObject);
    expect(_decipher._decipherKey).toBeInstanceOf(KeyObject);
    client.end();
  });

  test.each([
    [
      "aes128-gcm, keys agreed on anew every two megabytes",
      ["Ciphers aes128-gcm@openssh.com", "RekeyLimit 2M"],
    ],
    ["aes256-gcm", ["Ciphers aes256-gcm@openssh.com"]],
    ["chacha20-poly1305", ["Ciphers chacha20-poly1305@openssh.com"]],
    ["aes128-ctr", ["Ciphers aes128-ctr"]],
  ])("files come and go unharmed with %s", async (_, config) => {
    const server = await serverWith(...config);
    const host = await sshTransport({ configFiles: [] }).connect(server.target);
    const at = (name: string) => join(server.folder, name);
    await host.upload(at("from"), at("there"));
    await host.download(at("there"), at("back"));
    expect(readFileSync(at("back")).equals(content)).toBe(true);
    await host.close();
  });
});
