import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "#engine/dsl/secret.ts";
import { script, sh } from "#engine/host/command.ts";
import type { Connection, Target } from "#engine/host/connection.ts";
import { readFacts } from "#engine/host/facts.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import { conformance } from "../../support/conformance.ts";

const lab = openLab("transport");
let view: LabView;

beforeAll(async () => {
  view = await lab.up({ hosts: ["w1"], bare: true, yes: true });
});
afterAll(() => lab.down());

const transport = sshTransport({ configFiles: [], env: {} });

function connect(user: string, more: Partial<Target> = {}): Promise<Connection> {
  const { identityFile, knownHostsFile, hosts } = view;
  const address = hosts[0]?.address ?? "";
  return transport.connect({ name: "w1", address, user, identityFile, knownHostsFile, ...more });
}
const sudoPassword = () => new Secret(readFileSync(view.sudoPasswordFile, "utf8").trim());

for (const [name, user, as] of [
  ["root on a lab host", "root", undefined],
  ["a user on a lab host", "ops", undefined],
  ["root through sudo on a lab host", "ops", "root"],
  ["root through sudo with a password on a lab host", "opspw", "root"],
] as const)
  conformance(name, {
    connect: () => connect(user, user === "opspw" ? { sudoPassword: sudoPassword() } : {}),
    folder: `/tmp/conformance-${user}-${as ?? "self"}`,
    ...(as !== undefined && { as }),
    owner: as ?? user,
    realShell: true,
  });

describe("a lab host", () => {
  it("gives its facts", async () => {
    const host = await connect("ops");
    expect((await readFacts(host)).facts).toMatchObject({
      hostname: "w1",
      os: { id: "debian" },
    });
    await host.close();
  });

  it("refuses a wrong sudo password at once, and asks for a missing one", async () => {
    const wrong = await connect("opspw", { sudoPassword: new Secret("certainly wrong") });
    await expect(wrong.run(sh`true`, { as: "root" })).rejects.toMatchObject({
      code: "PB_SUDO_REFUSED",
    });
    await wrong.close();
    const none = await connect("opspw");
    await expect(none.run(sh`true`, { as: "root" })).rejects.toMatchObject({
      code: "PB_SUDO_PASSWORD_NEEDED",
    });
    await none.close();
  });

  it("drops root to any user without sudo", async () => {
    const host = await connect("root");
    expect((await host.run(sh`id -un`, { as: "ops" })).stdout).toBe("ops\n");
    await host.close();
  });

  it("is noticed when it is cut off in the middle of a call", async () => {
    const quick = sshTransport({
      configFiles: [],
      env: {},
      keepalive: { keepaliveInterval: 500, keepaliveCountMax: 3 },
    });
    const { identityFile, knownHostsFile, hosts } = view;
    const address = hosts[0]?.address ?? "";
    const host = await quick.connect({
      name: "w1",
      address,
      user: "root",
      identityFile,
      knownHostsFile,
    });
    const call = host.run(sh`sleep 600`);
    const lost = expect(call).rejects.toMatchObject({ code: "PB_CONNECTION_LOST" });
    await lab.exec("w1", ["ip", "link", "set", "eth0", "down"]);
    const began = Date.now();
    await lost;
    expect(Date.now() - began).toBeLessThan(10_000);
    const gone = quick.connect(
      { name: "w1", address, user: "root", identityFile, knownHostsFile },
      { timeoutMs: 1_500 },
    );
    await expect(gone).rejects.toMatchObject({ code: "PB_CONNECT_UNREACHABLE" });
    await lab.exec("w1", ["sh", "-c", "ip link set eth0 up && netplan apply"]);
  });

  it("keeps nothing that was written when its disk is full", async () => {
    const host = await connect("root");
    const folder = "/var/lib/disk-test";
    await host.run(script('mkdir -p "$1" && mount -t tmpfs -o size=1m tmpfs "$1"', folder));
    const write = host.writeFile(`${folder}/big`, Buffer.alloc(2_000_000));
    await expect(write).rejects.toThrow("No space left on device");
    expect((await host.run(sh`ls -A ${folder}`)).stdout).toBe("");
    await host.run(sh`umount ${folder}`);
    await host.close();
  });
});
