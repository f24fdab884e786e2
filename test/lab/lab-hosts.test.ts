import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sh, withStdin } from "#engine/host/command.ts";
import { isAlive } from "#engine/host/process-identity.ts";
import { nspawnOf } from "#lab/host/inside.ts";
import { openLab } from "#lab/lab.ts";
import { hierarchies } from "#lab/machine/cgroups.ts";
import { attempt, run } from "#lab/machine/run.ts";
import { until } from "#lab/machine/until.ts";
import { namespaces } from "#lab/network/network.ts";
import { addressPlan, macAddress } from "#lab/plan/address-plan.ts";
import { labStatus } from "#lab/status.ts";
import type { LabView } from "#lab/view.ts";

const NAME = "hosts-test";
const HOSTS = ["cp1", "cp2", "w1"];
const lab = openLab(NAME);
const plan = addressPlan(NAME);

const SYSCTLS = [
  "kernel.core_pattern",
  "kernel.pid_max",
  "fs.inotify",
  "net.ipv4.ip_forward",
  "net.ipv6.conf.all",
  "net.ipv6.conf.default",
];

/** Everything of the machine that a lab could leave something in. Other labs may run beside this one. */
async function traces(): Promise<Record<string, string[]>> {
  const mounts = await readFile("/proc/mounts", "utf8");
  const others = /rpl[.-](?!hosts-test\b)|\/labs\/(?!hosts-test\b)/;
  const lines = (text: string) =>
    text.split("\n").filter((line) => line.trim() !== "" && !others.test(line));
  return {
    namespaces: lines(await run(sh`ip netns list`)).map((line) => line.split(" ")[0] ?? ""),
    mounts: lines(mounts),
    loops: lines(await run(sh`losetup --list --noheadings --output BACK-FILE`)),
    groups: lines(await run(sh`find /sys/fs/cgroup -maxdepth 3 -name ${"rpl*"}`)),
    addresses: lines(await run(sh`ip -o addr`)).map((line) => line.replace(/^\d+: /, "")),
    routes: lines(await run(sh`ip -6 route`)),
    nspawn: lines((await attempt(sh`find /run/systemd/nspawn -name ${"rpl*"}`)).stdout),
    processes: lines(await run(sh`ps -eo args`)).filter((line) => line.includes(NAME)),
    // Its exit code tells of keys that cannot be read, which is no matter here.
    sysctls: lines((await attempt(sh`sysctl ${SYSCTLS}`)).stdout),
  };
}

// What all labs of the machine share stays for as long as any of them is up: alone, this one leaves none of it either.
const alone = (await namespaces()).every((name) => !name.startsWith("rpl."));
const unshared = (all: Record<string, string[]>) =>
  Object.fromEntries(
    Object.entries(all).map(([kind, lines]) => [
      kind,
      lines.filter((line) => alone || !/ \/run\/netns |inotify/.test(line)),
    ]),
  );

const ssh = (view: LabView, user: string, host: string, command: string, stdin = "") => {
  const address = view.hosts.find(({ name }) => name === host)?.address;
  const options = [
    `UserKnownHostsFile=${view.knownHostsFile}`,
    "StrictHostKeyChecking=yes",
    "BatchMode=yes",
    "ConnectTimeout=5",
  ].flatMap((option) => ["-o", option]);
  return attempt(
    withStdin(
      sh`ssh -F none -i ${view.identityFile} ${options} ${`${user}@${address}`} ${command}`,
      stdin,
    ),
  );
};

const bootId = async (host: string) =>
  (await lab.exec(host, ["cat", "/proc/sys/kernel/random/boot_id"])).stdout;

describe("a lab's hosts", () => {
  let before: Record<string, string[]>;
  let view: LabView;

  beforeAll(async () => {
    await lab.down();
    before = await traces();
    view = await lab.up({ hosts: HOSTS, disk: "2G", bare: true, yes: true });
  });
  afterAll(() => lab.down());

  it("answer ssh over IPv6, with host keys that are known", async () => {
    for (const { name, address } of view.hosts) {
      expect(await ssh(view, "root", name, "hostname")).toMatchObject({
        code: 0,
        stdout: `${name}\n`,
      });
      expect(address).toMatch(/^fd/);
    }
  });

  it("have boot after boot no failed unit", async () => {
    const waited = await lab.exec("cp1", ["systemctl", "is-system-running", "--wait"]);
    expect(waited.stdout).toBe("running\n");
  });

  it("have no IPv4 address but loopback's, and the MAC that the lab gave", async () => {
    const { stdout } = await lab.exec("cp1", ["ip", "-4", "-o", "addr", "show", "scope", "global"]);
    expect(stdout).toBe("");
    const link = await lab.exec("cp1", ["cat", "/sys/class/net/eth0/address"]);
    expect(link.stdout.trim()).toBe(macAddress(NAME, "cp1"));
  });

  it("let users in: ops with sudo for nothing, opspw with sudo for a password", async () => {
    expect(await ssh(view, "ops", "cp1", "sudo -n id -u")).toMatchObject({
      code: 0,
      stdout: "0\n",
    });
    expect((await ssh(view, "opspw", "cp1", "sudo -n id -u")).code).not.toBe(0);
    const password = await readFile(view.sudoPasswordFile, "utf8");
    const asked = await ssh(view, "opspw", "cp1", "sudo -S -p '' id -u", password);
    expect(asked).toMatchObject({ code: 0, stdout: "0\n" });
    const wrong = await ssh(view, "opspw", "cp1", "sudo -S -p '' id -u", "wrong\n");
    expect(wrong.code).not.toBe(0);
  });

  it("see each other and nothing of one another's processes, and have no way out", async () => {
    const to = (address: string) =>
      lab.exec("cp1", ["bash", "-c", `exec 3<>/dev/tcp/${address}/22 && head -c 7 <&3`]);
    expect((await to(plan.host(12))).stdout).toBe("SSH-2.0");
    const seen = await lab.exec("cp1", ["systemctl", "list-units", "--no-legend", "ssh.service"]);
    expect(seen.stdout.trim().split("\n")).toHaveLength(1);
    const out = await lab.exec("cp1", ["ip", "-6", "route", "get", "2001:db8::1"]);
    expect(out.stdout).toContain(`via ${plan.gateway}`);
    const forwards = await run(
      sh`ip netns exec ${`rpl.${NAME}`} sysctl -n net.ipv6.conf.all.forwarding`,
    );
    expect(forwards.trim()).toBe("0");
  });

  it("apply netplan without hanging, and keep what it says", async () => {
    const file = "/etc/netplan/60-test.yaml";
    const extra = `network: {version: 2, ethernets: {eth0: {addresses: ["${plan.host(77)}/64"]}}}\n`;
    await lab.exec("cp2", ["sh", "-c", `umask 077; cat >${file}`], { stdin: extra });
    const applied = await ssh(view, "root", "cp2", "timeout 30 netplan apply");
    expect(applied).toMatchObject({ code: 0 });
    const addresses = await lab.exec("cp2", ["ip", "-6", "-o", "addr", "show", "dev", "eth0"]);
    expect(addresses.stdout).toContain(`${plan.host(77)}/64`);
    expect(addresses.stdout).toContain(`${plan.host(12)}/64`);
    await lab.exec("cp2", ["rm", file]);
  });

  it("install packages through the lab's proxy", async () => {
    const env = ["env", "DEBIAN_FRONTEND=noninteractive"] as const;
    const update = await lab.exec("w1", ["apt-get", "-q", "update"], { seconds: 120 });
    expect(update).toMatchObject({ code: 0, stderr: "" });
    const install = await lab.exec(
      "w1",
      [...env, "apt-get", "-q", "-y", "--no-install-recommends", "install", "hello"],
      { seconds: 120 },
    );
    expect(install.code).toBe(0);
    expect((await lab.exec("w1", ["hello"])).stdout).toBe("Hello, world!\n");
  });

  it("have a disk of their own: one that is full is full alone", async () => {
    const filled = await lab.exec("w1", ["sh", "-c", "head -c 4G /dev/zero >/fill"]);
    expect(filled.stderr).toContain("No space left on device");
    expect((await lab.exec("w1", ["sh", "-c", "echo x >/var/lib/containerd/x"])).code).not.toBe(0);
    expect((await lab.exec("cp1", ["sh", "-c", "echo x >/root/x"])).code).toBe(0);
    await lab.exec("w1", ["rm", "/fill"]);
    expect((await lab.exec("w1", ["sh", "-c", "echo x >/root/x"])).code).toBe(0);
  });

  it("pass input, output and exit code through exec", async () => {
    const result = await lab.exec("cp1", ["sh", "-c", "cat; echo err >&2; exit 7"], {
      stdin: "in",
    });
    expect(result).toEqual({ code: 7, stdout: "in", stderr: "err\n" });
    const quoted = await lab.exec("cp1", ["printf", "%s|", "a b", "$HOME", "'"]);
    expect(quoted.stdout).toBe("a b|$HOME|'|");
  });

  it("stay untouched when the lab is brought up again, and get company when it is asked for", async () => {
    const boots = await Promise.all(HOSTS.map(bootId));
    // Two commands at once: one waits for the other.
    await Promise.all([
      lab.up({ hosts: HOSTS, bare: true }),
      lab.up({ hosts: [...HOSTS, "w2"], bare: true }),
    ]);
    const again = await lab.view();
    expect(again.hosts.map(({ name }) => name)).toEqual([...HOSTS, "w2"]);
    expect(await Promise.all(HOSTS.map(bootId))).toEqual(boots);
    // Else the last test would compare nothing with nothing.
    const now = await traces();
    for (const [kind, lines] of Object.entries(now))
      if (kind !== "sysctls") expect([kind, lines]).not.toEqual([kind, before[kind]]);
    expect((await ssh(again, "root", "w2", "hostname")).stdout).toBe("w2\n");
  });

  it("lose their power at once and come back with their disk, address and keys", async () => {
    await lab.exec("cp2", ["sh", "-c", "echo kept >/root/kept; sync"]);
    const earlier = await bootId("cp2");
    await lab.kill("cp2");
    expect((await ssh(view, "root", "cp2", "true")).code).toBe(255);
    await expect(lab.exec("cp2", ["true"])).rejects.toMatchObject({ code: "PB_LAB_HOST_DOWN" });
    expect(await labStatus(await lab.state())).toMatchObject({
      healthy: true,
      text: expect.stringMatching(/cp2 .*power cut/),
    });
    await lab.start("cp2");
    expect((await ssh(view, "root", "cp2", "cat /root/kept")).stdout).toBe("kept\n");
    expect(await bootId("cp2")).not.toBe(earlier);
  });

  it("reboot from inside like any host, with a fresh network and their disk", async () => {
    const earlier = await bootId("cp2");
    await lab.exec("cp2", ["ip", "link", "add", "stray", "type", "dummy"]);
    await lab.exec("cp2", ["systemctl", "reboot"]);
    const later = await until(
      async () => {
        const answer = await ssh(view, "root", "cp2", "cat /proc/sys/kernel/random/boot_id");
        return answer.code === 0 && answer.stdout !== earlier ? answer.stdout : undefined;
      },
      { seconds: 60, every: 200 },
    );
    expect(later).toMatch(/^[0-9a-f-]{36}\n$/);
    expect((await lab.exec("cp2", ["cat", "/root/kept"])).stdout).toBe("kept\n");
    expect((await lab.exec("cp2", ["ip", "link", "show", "stray"])).code).not.toBe(0);
    const waited = await lab.exec("cp2", ["systemctl", "is-system-running", "--wait"]);
    expect(waited.stdout).toBe("running\n");
    expect(await labStatus(await lab.state())).toMatchObject({ healthy: true });
  });

  it("that crashed are cleared and booted again, the others left alone", async () => {
    const cp1 = await bootId("cp1");
    const crashed = (await lab.state()).hosts["w1"]!.process!;
    process.kill((await nspawnOf(crashed.pid, `rpl.${NAME}.w1`))!, "SIGKILL");
    const gone = async () => ((await isAlive(crashed)) ? undefined : true);
    expect(await until(gone, { seconds: 10 })).toBe(true);
    expect(await labStatus(await lab.state())).toMatchObject({
      healthy: false,
      text: expect.stringMatching(/w1 .*crashed/),
    });
    await lab.up({ bare: true });
    expect((await ssh(view, "root", "w1", "hostname")).stdout).toBe("w1\n");
    expect(await bootId("cp1")).toBe(cp1);
  });

  it("share no control group: each is the root of its own", async () => {
    const groups = hierarchies(await readFile("/proc/mounts", "utf8"));
    if (groups.length === 0) return;
    const inside = await lab.exec("cp1", ["cat", "/proc/1/cgroup"]);
    for (const line of inside.stdout.trim().split("\n"))
      expect(line).toMatch(/:\/(?:init\.scope)?$/);
  });

  it("leave nothing behind: no namespace, mount, loop device, group, process, address or sysctl", async () => {
    await lab.down();
    expect(unshared(await traces())).toEqual(unshared(before));
    await expect(lab.state()).rejects.toMatchObject({ code: "PB_LAB_NOT_UP" });
  });
});
