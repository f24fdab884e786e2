import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sh } from "#engine/host/command.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { freePort, type Sshd, startSshd } from "../../../../support/sshd.ts";
import { Wire } from "../../../../support/wire.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let jump: Sshd;
let inner: Sshd;
let config: string;
let wire: Wire;
beforeAll(async () => {
  [jump, inner] = await Promise.all([startSshd(), startSshd()]);
  wire = await Wire.to(jump.port);
  const known = join(jump.folder, "both");
  const keys = [jump, inner].map(({ knownHostsFile }) => readFileSync(knownHostsFile, "utf8"));
  writeFileSync(known, keys.join("") + keys[0]?.replace(`:${jump.port}`, `:${wire.port}`));
  config = join(jump.folder, "config");
  writeFileSync(
    config,
    `Host jump
  HostName ::1
  Port ${wire.port}
  IdentityFile ${jump.identityFile}
Host dead
  HostName ::1
  Port ${await freePort()}
Host closed
  HostName ::1
  Port ${await freePort()}
  ProxyJump jump
Host inner*
  HostName ::1
  Port ${inner.port}
  IdentityFile ${inner.identityFile}
  ProxyJump jump
Host twice
  HostName ::1
  Port ${inner.port}
  IdentityFile ${inner.identityFile}
  ProxyJump jump,inner
Host *
  User root
  UserKnownHostsFile ${known}
`,
  );
});
afterAll(async () => {
  await wire.stop();
  await Promise.all([jump.stop(), inner.stop()]);
});

const transport = () => sshTransport({ configFiles: [config], env: {} });
const named = (address: string) => ({ name: address, address });

describe("a jump host", () => {
  it("carries many hosts over one connection, which ends with the last of them", async () => {
    const ssh = transport();
    const before = wire.made;
    const hosts = await Promise.all([1, 2, 3, 4, 5].map((n) => ssh.connect(named(`inner${n}`))));
    const replies = await Promise.all(hosts.map((host) => host.run(sh`echo in`)));
    expect(replies.map(({ stdout }) => stdout)).toEqual(Array(5).fill("in\n"));
    expect(wire.made - before).toBe(1);
    await Promise.all(hosts.map((host) => host.close()));
    const again = await ssh.connect(named("inner"));
    expect(wire.made - before).toBe(2);
    await again.close();
  });

  it("may be two in a row", async () => {
    const host = await transport().connect(named("twice"));
    expect((await host.run(sh`echo in`)).stdout).toBe("in\n");
    await host.close();
  });

  it("loses with it the hosts behind it", async () => {
    const ssh = transport();
    const host = await ssh.connect(named("inner"));
    wire.reset();
    await host.lost;
    await expect(host.run(sh`true`)).rejects.toMatchObject({ code: "PB_CONNECTION_LOST" });
    const again = await ssh.connect(named("inner"));
    await again.close();
  });

  it("is named when it cannot be reached", async () => {
    const call = transport().connect({ ...named("inner"), jump: "dead" });
    await expect(call).rejects.toMatchObject({ code: "PB_JUMP_FAILED" });
    await expect(call).rejects.toThrow(/root@\[::1\]:\d+ failed: .* refused the connection/);
  });

  it("tells what it met when the host behind it does not answer", async () => {
    const call = transport().connect(named("closed"));
    await expect(call).rejects.toMatchObject({ code: "PB_CONNECT_UNREACHABLE" });
    await expect(call).rejects.toThrow("from the jump host");
  });
});
