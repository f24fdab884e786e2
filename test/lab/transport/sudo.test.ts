import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import { script, sh, withStdin } from "#engine/host/command.ts";
import type { Connection, Target } from "#engine/host/connection.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { conformance } from "../../support/conformance.ts";
import { type Sshd, startSshd } from "../../support/sshd.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

// Of "correct horse".
const passwordHash =
  "$6$conformance$LqN5GwTffxpjPx/155yHOF.qLIh2Yljd3ZjNQcoFf7DG78dcT/6hvR5O1.OWGZyO7R/jn12Y6CSvuOycsW6Ij/";

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd({
    config: ["UsePAM yes"],
    users: [
      { name: "ops", sudo: "ALL=(ALL:ALL) NOPASSWD: ALL" },
      { name: "opspw", passwordHash, sudo: "ALL=(ALL:ALL) ALL" },
      { name: "plain", passwordHash },
    ],
  });
});
afterAll(() => sshd.stop());

const open: Connection[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((host) => host.close()));
});

async function connect(user: string, target: Partial<Target> = {}): Promise<Connection> {
  const host = await sshTransport({ configFiles: [], env: {} }).connect({
    ...sshd.target,
    user,
    ...target,
  });
  open.push(host);
  return host;
}
const sudoPassword = new Secret("correct horse");
const refusal = (code: string) => expect.objectContaining({ code });
const whoami = async (host: Connection, as?: string) =>
  (await host.run(sh`id -un`, as === undefined ? {} : { as })).stdout.trim();

describe("becoming somebody else", () => {
  it("is root, or any other user, without a password where sudo asks for none", async () => {
    const host = await connect("ops");
    expect(await whoami(host)).toBe("ops");
    expect(await whoami(host, "ops")).toBe("ops");
    expect(await whoami(host, "root")).toBe("root");
    expect(await whoami(host, "nobody")).toBe("nobody");
  });

  it("needs no sudo from root", async () => {
    const host = await connect("root");
    expect(await whoami(host, "nobody")).toBe("nobody");
    expect((await host.run(sh`pwd`, { as: "nobody" })).stdout).toBe("/\n");
  });

  it("gives the password once per shell, and not where none is asked for", async () => {
    const host = await connect("opspw", { sudoPassword });
    expect(await Promise.all([1, 2, 3].map(() => whoami(host, "root")))).toEqual([
      "root",
      "root",
      "root",
    ]);
    expect(await whoami(await connect("ops", { sudoPassword }), "root")).toBe("root");
  });

  it("passes stdin through, after a password too", async () => {
    const host = await connect("opspw", { sudoPassword });
    expect((await host.run(withStdin(sh`cat`, "payload"), { as: "root" })).stdout).toBe("payload");
  });

  it("says that a password is needed", async () => {
    const call = whoami(await connect("opspw"), "root");
    await expect(call).rejects.toEqual(refusal("PB_SUDO_PASSWORD_NEEDED"));
  });

  it("says that a password is needed on a host whose sudo speaks German", async () => {
    const german = await startSshd({
      config: ["UsePAM yes"],
      env: { LANG: "C.UTF-8", LANGUAGE: "de" },
      users: [{ name: "opspw", passwordHash, sudo: "ALL=(ALL:ALL) ALL" }],
    });
    const host = await sshTransport({ configFiles: [], env: {} }).connect({
      ...german.target,
      user: "opspw",
    });
    await expect(whoami(host, "root")).rejects.toEqual(refusal("PB_SUDO_PASSWORD_NEEDED"));
    await host.close();
    await german.stop();
  });

  it("refuses a wrong password after one try", async () => {
    const host = await connect("opspw", { sudoPassword: new Secret("wrong password") });
    const began = Date.now();
    const call = whoami(host, "root");
    await expect(call).rejects.toEqual(refusal("PB_SUDO_REFUSED"));
    await expect(call).rejects.toThrow("the password is wrong");
    // PAM itself waits two seconds after a wrong password.
    expect(Date.now() - began).toBeLessThan(6_000);
    expect(await whoami(host)).toBe("opspw");
  }, 10_000);

  it("refuses whom sudoers does not name, and users that do not exist", async () => {
    const plain = await connect("plain", { sudoPassword });
    await expect(whoami(plain, "root")).rejects.toEqual(refusal("PB_SUDO_REFUSED"));
    const ops = await connect("ops");
    await expect(whoami(ops, "no-such-user")).rejects.toThrow("no-such-user");
  }, 10_000);

  it("shows the password in no process list, environment or error", async () => {
    const host = await connect("opspw", { sudoPassword });
    const look = script(
      "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\000' ' '",
    );
    const { stdout } = await host.run(look, { as: "root" });
    expect(stdout).toContain("sudo");
    expect(stdout).not.toContain("correct horse");
    const wrong = await connect("opspw", { sudoPassword: new Secret("leaky secret") });
    const error = await whoami(wrong, "root").catch((caught: unknown) => caught);
    expect(JSON.stringify(error) + String(error)).not.toContain("leaky secret");
  }, 10_000);

  it("reads and writes what only root may, and says whose file it is", async () => {
    const host = await connect("ops");
    const path = `${sshd.folder}/private`;
    await host.writeFile(path, Buffer.from("x"), { as: "root", mode: 0o600 });
    expect(await host.stat(path)).toMatchObject({ owner: "root", group: "root", mode: 0o600 });
    await expect(host.readFile(path)).rejects.toThrow("Permission denied");
    expect(String(await host.readFile(path, { as: "root" }))).toBe("x");
    await host.writeFile(path, Buffer.from("y"), { as: "root", owner: "ops", mode: 0o600 });
    expect(await host.stat(path)).toMatchObject({ owner: "ops", group: "ops" });
    expect(String(await host.readFile(path))).toBe("y");
    await expect(host.writeFile("/etc/never", Buffer.from("x"))).rejects.toThrow(
      "Permission denied",
    );
  });

  it("ends root's processes when a call passes its deadline", async () => {
    const host = await connect("opspw", { sudoPassword });
    await whoami(host, "root");
    await expect(host.run(sh`sleep 4321`, { as: "root", timeoutMs: 500 })).rejects.toMatchObject({
      code: "PB_TIMEOUT",
      context: { state: "its processes on the host were ended" },
    });
  }, 10_000);
});

conformance("ssh as root through sudo with a password", {
  connect: () =>
    sshTransport({ configFiles: [], env: {} }).connect({
      ...sshd.target,
      user: "opspw",
      sudoPassword,
    }),
  folder: `/tmp/conformance-opspw-${process.pid}`,
  as: "root",
  owner: "root",
  realShell: true,
});
