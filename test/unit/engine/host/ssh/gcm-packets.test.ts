import { createDecipheriv, randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "ssh2";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { quickenGcm } from "#engine/host/ssh/gcm-packets.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { type Sshd, startSshd } from "../../../../support/sshd.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

/** As ssh2 names its own. */
class AESGCMCipherNative {
  outSeqno = 0;
  readonly _encSSLName = "aes-128-gcm";
  readonly _encKey = randomBytes(16);
  readonly _encIV: Buffer;
  readonly _dead = false;
  readonly sent: Buffer[] = [];

  constructor(iv: Buffer) {
    this._encIV = iv;
  }
  readonly _onWrite = (data: Buffer) => this.sent.push(data);
  allocPacket(): Buffer {
    throw new Error("ssh2's own was called");
  }
  encrypt(_packet: Buffer): void {
    throw new Error("ssh2's own was called");
  }
}

/** The cipher of a client that has just agreed on keys. */
function quickened(iv: Buffer) {
  const cipher = new AESGCMCipherNative(iv);
  const client = Object.assign(new EventEmitter(), { _protocol: { _cipher: cipher } });
  quickenGcm(client as never);
  client.emit("handshake");
  return cipher as AESGCMCipherNative & { allocPacket(payload: number): Buffer };
}

/** What the other end makes of a packet; it fails where the seal is wrong. */
function opened(cipher: AESGCMCipherNative, iv: Buffer): Buffer {
  const [length, body, seal] = cipher.sent.splice(0, 3) as [Buffer, Buffer, Buffer];
  expect(length.readUInt32BE()).toBe(body.length);
  const decipher = createDecipheriv("aes-128-gcm", cipher._encKey, iv);
  decipher.setAAD(length).setAuthTag(seal);
  const plain = Buffer.concat([decipher.update(body), decipher.final()]);
  const padding = plain[0] ?? 0;
  expect(padding).toBeGreaterThanOrEqual(4);
  expect(plain.length % 16).toBe(0);
  return plain.subarray(1, plain.length - padding);
}

/** The counter as RFC 5647 counts: the last eight bytes as one number, the first four fixed. */
function ivAfter(start: Buffer, packets: number): Buffer {
  const iv = Buffer.from(start);
  iv.writeBigUInt64BE(BigInt.asUintN(64, iv.readBigUInt64BE(4) + BigInt(packets)), 4);
  return iv;
}

test.each([
  ["0102030400000000000000f0", "a byte"],
  ["01020304000000ffffffff80", "several bytes"],
  ["01020304ffffffffffffff80", "all bytes, the fixed ones not"],
])("each packet is sealed with the next nonce, though %s counts over %s", (hex) => {
  const start = Buffer.from(hex, "hex");
  const cipher = quickened(Buffer.from(start));
  for (let packet = 0; packet < 300; packet++) {
    const payload = randomBytes(packet);
    const made = cipher.allocPacket(payload.length);
    payload.copy(made, 5);
    cipher.encrypt(made);
    expect(opened(cipher, ivAfter(start, packet)).equals(payload)).toBe(true);
  }
  expect(cipher._encIV.equals(ivAfter(start, 300))).toBe(true);
  expect(cipher.outSeqno).toBe(300);
});

test("packets that wait to be sent keep what they hold, though memory is used again", () => {
  const start = randomBytes(12);
  const cipher = quickened(Buffer.from(start));
  const payloads = Array.from({ length: 40 }, () => randomBytes(32_777));
  for (const payload of payloads) {
    const made = cipher.allocPacket(payload.length);
    payload.copy(made, 5);
    cipher.encrypt(made);
  }
  for (const [packet, payload] of payloads.entries())
    expect(opened(cipher, ivAfter(start, packet)).equals(payload)).toBe(true);
});

test("any other cipher is left alone", () => {
  class Other extends AESGCMCipherNative {}
  const cipher = new Other(randomBytes(12));
  const client = Object.assign(new EventEmitter(), { _protocol: { _cipher: cipher } });
  quickenGcm(client as never);
  client.emit("handshake");
  expect(() => cipher.allocPacket()).toThrow("ssh2's own was called");
});

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

  test("ssh2 still keeps its cipher where it is looked for", async () => {
    const client = new Client();
    quickenGcm(client);
    const ready = new Promise<void>((resolve, reject) => {
      client.once("ready", resolve).once("error", reject);
    });
    const { port, user } = sshd.target;
    const privateKey = readFileSync(sshd.identityFile);
    client.connect({ host: "::1", port: port ?? 0, username: user ?? "", privateKey });
    await ready;
    const { _cipher } = (client as unknown as { _protocol: { _cipher: object } })._protocol;
    expect(Object.hasOwn(_cipher, "encrypt")).toBe(true);
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
