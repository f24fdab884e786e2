import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { sh } from "#engine/host/command.ts";
import type { Target } from "#engine/host/connection.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { type Sshd, startSshd } from "../../../../support/sshd.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let sshd: Sshd;
let file: string;
let name: string;
const key = (type: string) => readFileSync(join(sshd.folder, `host_${type}.pub`), "utf8").trim();

beforeAll(async () => {
  sshd = await startSshd({ hostKeyTypes: ["ed25519", "rsa"] });
  execFileSync("ssh-keygen", [
    "-q",
    "-t",
    "ed25519",
    "-N",
    "",
    "-f",
    join(sshd.folder, "host_other"),
  ]);
  file = join(sshd.folder, "test_known_hosts");
  name = `[::1]:${sshd.port}`;
});
afterAll(() => sshd.stop());
beforeEach(() => rmSync(file, { force: true }));

async function connects(target: Partial<Target> = {}): Promise<string> {
  const transport = sshTransport({ configFiles: [] });
  const host = await transport.connect({ ...sshd.target, knownHostsFile: file, ...target });
  const { stdout } = await host.run(sh`echo in`);
  await host.close();
  return stdout.trim();
}
/** Whether the system's ssh, strict, lets itself be connected with this known_hosts file. */
function opensshTrusts(): boolean {
  const { identityFile = "", user = "" } = sshd.target;
  const options = {
    UserKnownHostsFile: file,
    GlobalKnownHostsFile: "/dev/null",
    StrictHostKeyChecking: "yes",
    BatchMode: "yes",
    IdentitiesOnly: "yes",
  };
  const flags = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const { status } = spawnSync("ssh", [
    ...["-F", "none", "-i", identityFile, "-p", String(sshd.port), ...flags],
    ...[`${user}@::1`, "true"],
  ]);
  return status === 0;
}
const refusal = (code: string) => expect.objectContaining({ code });

describe("the host key", () => {
  it("is refused when nobody knows it, with its fingerprint and the place to put it", async () => {
    const attempt = connects();
    await expect(attempt).rejects.toEqual(refusal("PB_HOST_KEY_UNKNOWN"));
    await expect(attempt).rejects.toThrow(/ssh-ed25519 SHA256:\S{43}.*test_known_hosts/);
  });

  it("is accepted when it is known", async () => {
    writeFileSync(file, `${name} ${key("ed25519")}\n`);
    expect(await connects()).toBe("in");
  });

  it("is accepted by an entry without a port", async () => {
    writeFileSync(file, `::1 ${key("ed25519")}\n`);
    expect(await connects()).toBe("in");
  });

  it("is not trusted because the server on port 22 of that address has it, where this port's is known", async () => {
    writeFileSync(file, `::1 ${key("ed25519")}\n${name} ${key("other")}\n`);
    for (const hostKeys of ["strict", "accept-new"] as const)
      await expect(connects({ hostKeys })).rejects.toEqual(refusal("PB_HOST_KEY_CHANGED"));
    expect(opensshTrusts()).toBe(false);
  });

  it("is this port's own, whatever the server on port 22 of that address has", async () => {
    writeFileSync(file, `::1 ${key("other")}\n${name} ${key("ed25519")}\n`);
    expect(await connects()).toBe("in");
    expect(opensshTrusts()).toBe(true);
  });

  it("is unknown, not changed, where only the server on port 22 of that address is known", async () => {
    writeFileSync(file, `::1 ${key("other")}\n`);
    await expect(connects()).rejects.toEqual(refusal("PB_HOST_KEY_UNKNOWN"));
    expect(opensshTrusts()).toBe(false);
    expect(await connects({ hostKeys: "accept-new" })).toBe("in");
  });

  it("is judged as ssh does, whatever lines stand for the address with and without its port", async () => {
    const names = ["::1", name, `!${name},*`, "[::1]:1"];
    const keys = ["ed25519", "other"];
    const lines = names.flatMap((one) => keys.map((each) => `${one} ${key(each)}`));
    const seen = { trusted: 0, refused: 0 };
    for (const [index, first] of lines.entries())
      for (const second of lines.slice(index)) {
        writeFileSync(file, `${first}\n${second}\n`);
        const ours = await connects().then(
          () => true,
          () => false,
        );
        expect(ours, `${first}\n${second}`).toBe(opensshTrusts());
        seen[ours ? "trusted" : "refused"] += 1;
      }
    process.stderr.write(`# known_hosts against ssh: ${JSON.stringify(seen)}\n`);
    expect(Math.min(seen.trusted, seen.refused)).toBeGreaterThan(5);
  }, 300_000);

  it("is asked for in the type that is known, whatever the server prefers", async () => {
    writeFileSync(file, `${name} ${key("rsa")}\n`);
    expect(await connects()).toBe("in");
  });

  it("is kept when it is new and that was asked for, and then checked", async () => {
    writeFileSync(file, "# no newline at the end");
    expect(await connects({ hostKeys: "accept-new" })).toBe("in");
    expect(readFileSync(file, "utf8")).toMatch(
      new RegExp(`^# no newline at the end\n\\[::1\\]:${sshd.port} ssh-ed25519 \\S+\n$`),
    );
    expect(await connects()).toBe("in");
  });

  it("is kept in a file that only its owner writes", async () => {
    await connects({
      hostKeys: "accept-new",
      knownHostsFile: join(sshd.folder, "new/known_hosts"),
    });
    expect(statSync(join(sshd.folder, "new/known_hosts")).mode & 0o777).toBe(0o600);
    expect(statSync(join(sshd.folder, "new")).mode & 0o777).toBe(0o700);
  });

  it.each(["strict", "accept-new"] as const)(
    "is refused when it changed (%s), with file and line",
    async (hostKeys) => {
      writeFileSync(file, `# first line\n${name} ${key("other")}\n`);
      const attempt = connects({ hostKeys });
      await expect(attempt).rejects.toEqual(refusal("PB_HOST_KEY_CHANGED"));
      await expect(attempt).rejects.toThrow("test_known_hosts:2");
      expect(readFileSync(file, "utf8").split("\n")).toHaveLength(3);
    },
  );

  it("is refused when only another type was known and the server does not have that", async () => {
    const only = await startSshd({ hostKeyTypes: ["ecdsa"] });
    try {
      writeFileSync(file, `[::1]:${only.port} ${key("ed25519")}\n`);
      const attempt = sshTransport({ configFiles: [] }).connect({
        ...only.target,
        knownHostsFile: file,
        hostKeys: "accept-new",
      });
      await expect(attempt).rejects.toEqual(refusal("PB_HOST_KEY_CHANGED"));
    } finally {
      await only.stop();
    }
  });

  it("is refused when it is revoked, even where another line trusts it", async () => {
    writeFileSync(file, `${name} ${key("ed25519")}\n@revoked * ${key("ed25519")}\n`);
    const attempt = connects();
    await expect(attempt).rejects.toEqual(refusal("PB_HOST_KEY_REVOKED"));
    await expect(attempt).rejects.toThrow("test_known_hosts:2");
  });

  it("is refused, with the reason, when only a certificate authority vouches for it", async () => {
    writeFileSync(file, `@cert-authority * ${key("other")}\n`);
    const attempt = connects({ hostKeys: "accept-new" });
    await expect(attempt).rejects.toEqual(refusal("PB_HOST_KEY_CERTIFICATE"));
    await expect(attempt).rejects.toThrow("test_known_hosts:1");
  });

  it("is that of the old address when the host changed its address", async () => {
    writeFileSync(file, `[2001:db8::7]:${sshd.port} ${key("ed25519")}\n`);
    expect(await connects({ address: "2001:db8::7", at: "::1" })).toBe("in");
    await expect(connects({ address: "2001:db8::8", at: "::1" })).rejects.toEqual(
      refusal("PB_HOST_KEY_UNKNOWN"),
    );
  });
});
