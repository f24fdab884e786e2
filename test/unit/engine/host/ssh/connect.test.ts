import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sh } from "#engine/host/command.ts";
import type { Target } from "#engine/host/connection.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { freePort, type Sshd, startSshd } from "../../../../support/sshd.ts";
import { listen, Wire } from "../../../../support/wire.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let sshd: Sshd;
let anyPort: string;
beforeAll(async () => {
  sshd = await startSshd({ config: ["AllowTcpForwarding yes"] });
  anyPort = join(sshd.folder, "any_port");
  writeFileSync(anyPort, readFileSync(sshd.knownHostsFile, "utf8").replace(/^\[::1\]:\d+/, "*"));
});
afterAll(() => sshd.stop());

const transport = (env: Record<string, string> = {}) =>
  sshTransport({ configFiles: [], env, home: sshd.folder });

async function attempt(
  target: Partial<Target>,
  { timeoutMs = 5_000, env = {} } = {},
): Promise<string> {
  const host = await transport(env).connect(
    { ...sshd.target, knownHostsFile: anyPort, ...target },
    { timeoutMs },
  );
  const { stdout } = await host.run(sh`echo in`);
  await host.close();
  return stdout.trim();
}
const refusal = (code: string) => expect.objectContaining({ code });

describe("addresses", () => {
  it.each(["::1", "[::1]", "0:0:0:0:0:0:0:1", "::1%lo", "[::1%lo]"])(
    "%s is reached",
    async (address) => {
      expect(await attempt({ address })).toBe("in");
    },
  );

  it("takes the port of an address in brackets", async () => {
    const { port: _, ...target } = sshd.target;
    const host = await transport().connect({ ...target, address: `[::1]:${sshd.port}` });
    await host.close();
  });

  it("refuses a prefix, and a link-local address without its interface, before any connection", async () => {
    await expect(attempt({ address: "::1/128" })).rejects.toEqual(refusal("PB_ADDRESS_INVALID"));
    await expect(attempt({ address: "fe80::1" })).rejects.toThrow("fe80::1%eth0");
  });
});

describe("a host that cannot be reached", () => {
  it("is refused", async () => {
    await expect(attempt({ port: await freePort() })).rejects.toEqual(
      refusal("PB_CONNECT_REFUSED"),
    );
  });

  it("is unreachable", async () => {
    await expect(attempt({ address: "fe80::1%lo" }, { timeoutMs: 1_000 })).rejects.toEqual(
      refusal("PB_CONNECT_UNREACHABLE"),
    );
  });

  it("has no address", async () => {
    const began = Date.now();
    await expect(
      attempt({ address: "no-such-host.invalid" }, { timeoutMs: 3_000 }),
    ).rejects.toEqual(refusal("PB_CONNECT_UNRESOLVED"));
    expect(Date.now() - began).toBeLessThan(4_000);
  });

  it("accepts and then says nothing: an error at the deadline", async () => {
    const silent = await listen(() => undefined);
    const began = Date.now();
    await expect(attempt({ port: silent.port }, { timeoutMs: 500 })).rejects.toEqual(
      refusal("PB_CONNECT_SILENT"),
    );
    expect(Date.now() - began).toBeLessThan(1_500);
    await silent.stop();
  });

  it("is left at once when the run is interrupted meanwhile", async () => {
    const silent = await listen(() => undefined);
    const abort = new AbortController();
    const target = { ...sshd.target, port: silent.port };
    const call = transport().connect(target, { timeoutMs: 2_000, signal: abort.signal });
    setImmediate(() => abort.abort());
    const began = Date.now();
    await expect(call).rejects.toEqual(refusal("PB_INTERRUPTED"));
    expect(Date.now() - began).toBeLessThan(1_000);
    await silent.stop();
  });

  it("speaks another protocol", async () => {
    const web = await listen((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await expect(attempt({ port: web.port })).rejects.toThrow('it said "HTTP/1.1 400 Bad Request"');
    await web.stop();
  });

  it("hangs up before the handshake: tried again, and let in", async () => {
    const wire = await Wire.to(sshd.port, { shed: 2 });
    expect(await attempt({ port: wire.port })).toBe("in");
    expect(wire.made).toBe(3);
    await wire.stop();
  });

  it("always hangs up before the handshake: an error at the deadline, after some attempts", async () => {
    const wire = await Wire.to(sshd.port, { shed: 1000 });
    await expect(attempt({ port: wire.port }, { timeoutMs: 3_000 })).rejects.toEqual(
      refusal("PB_CONNECT_DROPPED"),
    );
    expect(wire.made).toBeGreaterThan(1);
    expect(wire.made).toBeLessThanOrEqual(12);
    await wire.stop();
  });

  it.each(["Not allowed at this time\r\n", "Exceeded MaxStartups\r\n"])(
    "is turned away for a while with %j: tried again, and let in",
    async (words) => {
      const wire = await Wire.to(sshd.port, { shed: 3, words });
      expect(await attempt({ port: wire.port }, { timeoutMs: 20_000 })).toBe("in");
      expect(wire.made).toBe(4);
      await wire.stop();
    },
  );

  it.each([
    ["Not allowed at this time\r\n", "PerSourcePenalties"],
    ["Exceeded MaxStartups\r\n", "MaxStartups"],
  ])("is turned away until the deadline with %j: says what it means", async (words, meaning) => {
    const wire = await Wire.to(sshd.port, { shed: 1000, words });
    const call = attempt({ port: wire.port }, { timeoutMs: 1_500 });
    await expect(call).rejects.toEqual(refusal("PB_CONNECT_TURNED_AWAY"));
    await expect(call).rejects.toThrow(words.trim());
    await expect(call).rejects.toMatchObject({ hint: expect.stringContaining(meaning) });
    expect(wire.made).toBeGreaterThan(1);
    await wire.stop();
  });

  it("shares no algorithm", async () => {
    const modern = await startSshd({
      config: ["KexAlgorithms sntrup761x25519-sha512@openssh.com"],
    });
    await expect(transport().connect(modern.target)).rejects.toEqual(
      refusal("PB_CONNECT_NO_COMMON"),
    );
    await modern.stop();
  });
});

describe("keys", () => {
  const keygen = (file: string, ...more: string[]) => {
    const path = join(sshd.folder, file);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path, ...more]);
    return path;
  };

  it("names what was tried when none is let in", async () => {
    const identityFile = keygen("wrong");
    const call = attempt({ identityFile });
    await expect(call).rejects.toEqual(refusal("PB_AUTH_FAILED"));
    await expect(call).rejects.toThrow(identityFile);
  });

  it("says that there was none to try", async () => {
    const { identityFile: _, ...target } = sshd.target;
    await expect(transport().connect(target)).rejects.toThrow("no key found");
  });

  it("names a file that is not there, unreadable or no private key", async () => {
    await expect(attempt({ identityFile: "/no/such/key" })).rejects.toThrow(
      "no such file or directory",
    );
    await expect(attempt({ identityFile: `${sshd.identityFile}.pub` })).rejects.toThrow(
      "public key",
    );
    await expect(attempt({ identityFile: "/etc/passwd" })).rejects.toEqual(
      refusal("PB_KEY_UNREADABLE"),
    );
  });

  it("says that a key is encrypted when no agent holds it", async () => {
    const identityFile = keygen("encrypted");
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "passphrase", "-f", identityFile]);
    await expect(attempt({ identityFile })).rejects.toEqual(refusal("PB_KEY_ENCRYPTED"));
  });

  it("finds the default identities", async () => {
    const { identityFile: _, ...target } = sshd.target;
    execFileSync("mkdir", ["-p", join(sshd.folder, ".ssh")]);
    copyFileSync(sshd.identityFile, join(sshd.folder, ".ssh/id_ed25519"));
    const host = await transport().connect(target);
    await host.close();
    execFileSync("rm", ["-r", join(sshd.folder, ".ssh")]);
  });

  it("asks the agent, also for an encrypted key, and not an agent that is gone", async () => {
    const { identityFile: _, ...target } = sshd.target;
    const socket = join(sshd.folder, "agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
    await once(agent.stdout, "data");
    const env = { SSH_AUTH_SOCK: socket };
    // More keys than a server lets one try.
    for (let index = 0; index < 3; index++)
      execFileSync("ssh-add", ["-q", keygen(`more${index}`)], { env });
    const locked = join(sshd.folder, "locked");
    copyFileSync(sshd.identityFile, locked);
    chmodSync(locked, 0o600);
    execFileSync("ssh-add", ["-q", locked], { env });
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "passphrase", "-f", locked]);
    expect(await attempt({ ...target, identityFile: locked }, { env })).toBe("in");
    agent.kill();
    await once(agent, "exit");
    expect(await attempt({}, { env })).toBe("in");
  });
});

it("has no delay for small packets: a delayed acknowledgement would cost 40 ms each", async () => {
  const host = await transport().connect({ ...sshd.target });
  await host.run(sh`true`);
  const times: number[] = [];
  for (let index = 0; index < 11; index++) {
    const began = performance.now();
    await host.run(sh`true`);
    times.push(performance.now() - began);
  }
  expect(times.sort((a, b) => a - b)[5]).toBeLessThan(30);
  await host.close();
});
