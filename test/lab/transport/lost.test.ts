import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { script, sh } from "#engine/host/command.ts";
import type { Connection } from "#engine/host/connection.ts";
import { type SshOptions, sshTransport } from "#engine/host/ssh/transport.ts";
import { type Sshd, startSshd } from "../../support/sshd.ts";
import { Wire, type WireOptions } from "../../support/wire.ts";

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
  // Known without a port, so that the wire's ports are known too.
  const entry = readFileSync(sshd.knownHostsFile, "utf8").replace(/^\[::1\]:\d+/, "::1");
  writeFileSync(join(sshd.folder, "known_any_port"), entry);
});
afterAll(() => sshd.stop());

vi.setConfig({ testTimeout: 30_000 });

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function over(
  wireOptions: WireOptions = {},
  sshOptions: SshOptions = {},
): Promise<{ wire: Wire; host: Connection }> {
  const wire = await Wire.to(sshd.port, wireOptions);
  const host = await sshTransport({ configFiles: [], ...sshOptions }).connect({
    ...sshd.target,
    port: wire.port,
    knownHostsFile: join(sshd.folder, "known_any_port"),
  });
  open.push({
    close: async () => {
      await host.close();
      await wire.stop();
    },
  });
  return { wire, host };
}

const lostError = expect.objectContaining({ code: "PB_CONNECTION_LOST" });
const quick = { keepalive: { keepaliveInterval: 100, keepaliveCountMax: 3 } };
const started = async (host: Connection) => {
  const flag = `${sshd.folder}/begun-${performance.now()}`;
  const call = host.run(script(`: >"$1"; sleep 30`, flag));
  call.catch(() => undefined);
  await expect.poll(() => existsSync(flag), { timeout: 10_000 }).toBe(true);
  return { call };
};

describe("a connection that breaks", () => {
  it("is an error, not a success, when the host closes it in the middle of a command", async () => {
    const { wire, host } = await over();
    const { call } = await started(host);
    wire.finish();
    await expect(call).rejects.toEqual(lostError);
    await expect(host.run(sh`true`)).rejects.toEqual(lostError);
    expect((await host.lost).message).toBe("the host closed it");
  });

  it("is an error, not the end of this process, when the host resets it in the middle of a command", async () => {
    const { wire, host } = await over();
    const { call } = await started(host);
    wire.reset();
    await expect(call).rejects.toEqual(lostError);
    expect((await host.lost).message).toBe("the host reset it");
  });

  it("is an error of the next call when the host resets it between calls", async () => {
    const { wire, host } = await over();
    await host.run(sh`true`);
    wire.reset();
    await host.lost;
    await expect(host.readFile("/etc/hostname")).rejects.toEqual(lostError);
  });

  it("is noticed when the host just stops answering", async () => {
    const { wire, host } = await over({}, quick);
    const { call } = await started(host);
    const began = Date.now();
    wire.freeze();
    await expect(call).rejects.toThrow("does not answer any more");
    expect(Date.now() - began).toBeLessThan(2_000);
  });

  it("passes a call's own deadline before the keepalive notices", async () => {
    const { wire, host } = await over(
      {},
      { keepalive: { keepaliveInterval: 2_000, keepaliveCountMax: 3 } },
    );
    await host.run(sh`true`);
    wire.freeze();
    await expect(host.run(sh`true`, { timeoutMs: 300 })).rejects.toMatchObject({
      code: "PB_TIMEOUT",
      context: { state: expect.stringContaining("it may still run on the host") },
    });
  }, 10_000);

  it("can be closed when the host does not answer", async () => {
    const { wire, host } = await over();
    await host.run(sh`true`);
    wire.freeze();
    const began = Date.now();
    await host.close();
    expect(Date.now() - began).toBeLessThan(3_000);
  });

  it("leaves nothing running on the host when it is closed by this side", async () => {
    const { host } = await over();
    const mark = `7${process.pid}`;
    const call = host.run(sh`sleep ${mark}`, { long: true });
    call.catch(() => undefined);
    await host.run(sh`true`);
    const { host: other } = await over();
    const look = script(
      `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' ' ' | grep -c "[s]leep $1 "`,
      mark,
    );
    const running = async () => (await other.run(look)).stdout;
    await expect.poll(running, { timeout: 10_000 }).toBe("1\n");
    await host.close();
    await expect(call).rejects.toEqual(lostError);
    expect((await other.run(look)).stdout).toBe("0\n");
  });
});

describe("a slow wire", () => {
  const numbers = Array.from({ length: 200 }, (_, index) => index);
  const all = async (host: Connection) => {
    const began = performance.now();
    const replies = await Promise.all(numbers.map((n) => host.run(sh`printf %s ${n}`)));
    expect(replies.map(({ stdout }) => Number(stdout))).toEqual(numbers);
    return performance.now() - began;
  };
  const write = async (host: Connection) => {
    const began = performance.now();
    await host.writeFile(`${sshd.folder}/small`, Buffer.alloc(2048, "x"));
    return performance.now() - began;
  };

  it.each([
    ["carries 200 calls of one tick", all],
    ["writes a small file, flushed and renamed,", write],
  ])("%s in one round trip", async (_, act) => {
    const { wire, host } = await over();
    await host.run(sh`true`);
    const work = await act(host);
    wire.delayMs = 1_000;
    // One round trip is two seconds; a second one would make it four.
    expect((await act(host)) - work).toBeLessThan(3_500);
    wire.delayMs = 0;
  });

  it("keeps exit codes that arrive in one piece with all else", async () => {
    const { wire, host } = await over();
    await host.run(sh`true`);
    wire.lumpMs = 700;
    expect((await host.run(sh`false`)).code).toBe(1);
    const file = join(sshd.folder, "missing");
    await expect(host.download(file, `${file}-here`)).rejects.toMatchObject({
      code: "PB_READ_FAILED",
    });
    const write = host.writeFile(`${file}/file`, Buffer.alloc(300_000));
    await expect(write).rejects.toMatchObject({ code: "PB_WRITE_FAILED" });
    wire.lumpMs = 0;
  });

  it("decodes characters that arrive in pieces", async () => {
    const { host } = await over({ single: true });
    const text = "é€😀".repeat(2_000);
    expect((await host.run({ argv: ["printf", "%s", text] })).stdout).toBe(text);
  });
});
