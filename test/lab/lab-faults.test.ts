import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sh, withStdin } from "#engine/host/command.ts";
import { isAlive } from "#engine/host/process-identity.ts";
import { openLab } from "#lab/lab.ts";
import { attempt, run } from "#lab/machine/run.ts";
import { until } from "#lab/machine/until.ts";
import { namespaces } from "#lab/network/network.ts";
import { addressPlan, macAddress } from "#lab/plan/address-plan.ts";
import { labStatus } from "#lab/status.ts";
import type { LabView } from "#lab/view.ts";
import { listen, roundTrips } from "../support/wire-probe.ts";

const NAME = "faults-test";
const lab = openLab(NAME);
const plan = addressPlan(NAME);
const address = { w1: plan.host(11), w2: plan.host(12) };

const ssh = (view: LabView, command: string, stdin: Uint8Array | string = "") => {
  const options = [
    `UserKnownHostsFile=${view.knownHostsFile}`,
    "StrictHostKeyChecking=yes",
    "BatchMode=yes",
    "ConnectTimeout=20",
  ].flatMap((option) => ["-o", option]);
  const login = `root@${address.w1}`;
  return attempt(
    withStdin(sh`ssh -F none -i ${view.identityFile} ${options} ${login} ${command}`, stdin),
  );
};

/** Pings w1 from w2: how many came back, and the shortest round trip. */
async function ping(...options: string[]): Promise<{ received: number; least: number }> {
  const { stdout } = await lab.exec("w2", ["ping", "-q", ...options, address.w1]);
  return {
    received: Number(/(\d+) received/.exec(stdout)?.[1]),
    least: Number(/rtt min\S* = ([\d.]+)/.exec(stdout)?.[1]),
  };
}

const carrier = async () => (await lab.exec("w1", ["cat", "/sys/class/net/eth0/carrier"])).stdout;
const bootId = async () =>
  (await lab.exec("w1", ["cat", "/proc/sys/kernel/random/boot_id"])).stdout;
const status = async () => labStatus(await lab.state());
const write = (size: string) => lab.exec("w1", ["sh", "-c", `head -c ${size} /dev/zero >/root/x`]);

describe("a lab's faults", () => {
  let view: LabView;
  let plain: number;

  beforeAll(async () => {
    await lab.down();
    view = await lab.up({ hosts: ["w1", "w2"], disk: "1G", bare: true, yes: true });
    const apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"] as const;
    await lab.exec("w2", [...apt, "update"], { seconds: 120 });
    const options = ["--no-install-recommends", "install", "iputils-ping"];
    const installed = await lab.exec("w2", [...apt, ...options], { seconds: 120 });
    expect(installed.code).toBe(0);
    plain = (await roundTrips(address.w1))[0]!;
  });
  afterAll(() => lab.down());

  it("cut: an open connection hears nothing at all, and goes on after healing", async () => {
    const heard = listen(address.w1);
    expect(await until(async () => heard.text || undefined, { seconds: 20 })).toMatch(/^SSH-2\.0/);
    const greeting = heard.text;
    await lab.cut("w1");
    heard.socket.write("SSH-2.0-test\r\n");
    // The server would answer in a millisecond: two seconds of silence are silence.
    const sign = async () => heard.ended || heard.text !== greeting || undefined;
    expect(await until(sign, { seconds: 2 })).toBeUndefined();
    expect(await carrier()).toBe("1\n");
    expect(await ping("-c", "3", "-i", "0.1", "-W", "1")).toMatchObject({ received: 0 });
    expect(await status()).toMatchObject({
      healthy: true,
      text: expect.stringMatching(/w1 .*up, network cut/),
    });
    await lab.cut("w1");
    await lab.heal("w1");
    expect(await until(sign, { seconds: 60 })).toBe(true);
    expect(heard.ended).toBe(false);
    heard.socket.destroy();
    expect((await status()).text).not.toContain("cut");
    expect(await ssh(view, "hostname")).toMatchObject({ code: 0, stdout: "w1\n" });
  });

  it("cut: stays over a reboot from inside and over a power cut, until it is healed", async () => {
    await lab.cut("w1");
    const first = await bootId();
    await lab.exec("w1", ["systemctl", "reboot"]);
    const rebooted = async () => {
      const now = await bootId().catch(() => first);
      return now !== first && (await carrier().catch(() => "")) === "1\n" ? now : undefined;
    };
    const second = await until(rebooted, { seconds: 60, every: 200 });
    expect(second).toMatch(/^[0-9a-f-]{36}\n$/);
    expect((await ping("-c", "3", "-i", "0.1", "-W", "1")).received).toBe(0);
    await lab.kill("w1");
    expect((await status()).text).toMatch(/w1 .*power cut, network cut/);
    await lab.start("w1");
    expect(await bootId()).not.toBe(second);
    expect((await ping("-c", "3", "-i", "0.1", "-W", "1")).received).toBe(0);
    await lab.heal("w1");
    expect(await ssh(view, "hostname")).toMatchObject({ code: 0, stdout: "w1\n" });
  });

  it("delay: 25 ms one way are 50 ms a round trip, and bulk data arrives whole", async ({
    annotate,
  }) => {
    await lab.delay("w1", { delay: "25ms" });
    const pinged = await ping("-c", "20", "-i", "0.05");
    const delayed = await roundTrips(address.w1);
    expect(pinged.received).toBe(20);
    for (const ms of [pinged.least, delayed[0]!]) expect(ms).toBeGreaterThanOrEqual(50);
    expect(delayed[0]! - plain).toBeGreaterThan(45);
    expect(pinged.least).toBeLessThan(100);

    const data = randomBytes(20_000_000);
    const start = performance.now();
    const sent = await ssh(view, "sha256sum", data);
    const seconds = (performance.now() - start) / 1000;
    expect(sent.stdout).toBe(`${createHash("sha256").update(data).digest("hex")}  -\n`);
    const { readyUrl } = (await lab.state()).services["delay-w1"]!;
    const counts = await (await fetch(readyUrl)).json();
    expect(counts).toMatchObject({ away: { overflowed: 0 }, back: { overflowed: 0 } });
    await annotate(
      `round trip plain ${plain.toFixed(2)} ms, delayed ${delayed.map((ms) => ms.toFixed(1)).join(" ")} ms, ` +
        `shortest ping ${pinged.least} ms; 20 MB by ssh in ${seconds.toFixed(1)} s; ${JSON.stringify(counts)}`,
    );
  });

  it("delay: the same again changes nothing, another replaces it", async () => {
    const service = async () => (await lab.state()).services["delay-w1"]!.process;
    const before = await service();
    await lab.delay("w1", { delay: "25ms" });
    expect(await service()).toEqual(before);
    await lab.delay("w1", { delay: "5ms" });
    expect(await isAlive(before)).toBe(false);
    const [least] = await roundTrips(address.w1);
    expect(least).toBeGreaterThanOrEqual(10);
    expect(least).toBeLessThan(50);
  });

  it("delay: a line that died is seen by status and made again by up", async () => {
    const { process: line } = (await lab.state()).services["delay-w1"]!;
    process.kill(line.pid, "SIGKILL");
    const gone = async () => ((await isAlive(line)) ? undefined : true);
    expect(await until(gone, { seconds: 10 })).toBe(true);
    expect(await status()).toMatchObject({
      healthy: false,
      text: expect.stringMatching(/delay-w1 .*down/),
    });
    await lab.up({ bare: true });
    expect((await roundTrips(address.w1))[0]).toBeGreaterThanOrEqual(10);
  });

  it("loss: 30 % each way lose about half of the pings", async ({ annotate }) => {
    // Known for good: else lost neighbour discovery could cost pings that the line did not lose.
    for (const [on, other] of [
      ["w1", "w2"],
      ["w2", "w1"],
    ] as const) {
      const mac = macAddress(NAME, other);
      const entry = [address[other], "lladdr", mac, "dev", "eth0", "nud", "permanent"];
      expect((await lab.exec(on, ["ip", "neigh", "replace", ...entry])).code).toBe(0);
    }
    await lab.delay("w1", { delay: "0ms", loss: 30 });
    const { received } = await ping("-c", "200", "-i", "0.01", "-W", "2");
    // 98 are to be expected, with a standard deviation of 7.
    expect(received).toBeGreaterThan(55);
    expect(received).toBeLessThan(140);
    await lab.heal("w1");
    const healed = await ping("-c", "200", "-i", "0.01", "-W", "2");
    expect(healed.received).toBe(200);
    const [least] = await roundTrips(address.w1);
    expect(least).toBeLessThan(10);
    await annotate(`${received} of 200 pings came back, ${healed.received} after healing`);
  });

  it("delay of all: one line between the machine and the hosts, not between hosts", async ({
    annotate,
  }) => {
    await lab.delayAll({ delay: "25ms" });
    const trips = await Promise.all([roundTrips(address.w1), roundTrips(address.w2)]);
    for (const [least] of trips) expect(least).toBeGreaterThanOrEqual(50);
    expect((await ping("-c", "5", "-i", "0.1")).least).toBeLessThan(25);
    expect(await status()).toMatchObject({
      healthy: true,
      text: expect.stringContaining("between this machine and the hosts: 25 ms delay each way\n"),
    });
    await lab.up({ bare: true });
    expect((await roundTrips(address.w1))[0]).toBeGreaterThanOrEqual(50);
    await lab.heal();
    expect((await roundTrips(address.w1))[0]).toBeLessThan(25);
    await annotate(`round trips ${trips.map(([least]) => least!.toFixed(1)).join(" and ")} ms`);
  });

  it("fill: writes fail until the disk is healed, on that host alone", async () => {
    await lab.fill("w1");
    expect((await write("1M")).stderr).toContain("No space left on device");
    expect((await lab.exec("w1", ["sh", "-c", "echo x >/var/lib/etcd/x"])).code).not.toBe(0);
    expect((await lab.exec("w2", ["sh", "-c", "echo x >/root/x"])).code).toBe(0);
    expect((await status()).text).toMatch(/w1 .*up, disk full but for 0 bytes/);

    await lab.fill("w1", { leave: "8M" });
    expect(await write("4M")).toMatchObject({ code: 0 });
    expect((await write("16M")).stderr).toContain("No space left on device");
    await lab.exec("w1", ["rm", "/root/x"]);
    const before = await lab.exec("w1", ["stat", "-f", "-c", "%a", "/"]);
    await lab.fill("w1", { leave: "8M" });
    const blocks = Number((await lab.exec("w1", ["stat", "-f", "-c", "%a", "/"])).stdout);
    expect(Math.abs(blocks - Number(before.stdout))).toBeLessThan(64);

    await lab.kill("w1");
    await expect(lab.fill("w1")).rejects.toMatchObject({ code: "PB_LAB_HOST_DOWN" });
    await lab.start("w1");
    expect((await write("16M")).stderr).toContain("No space left on device");
    await lab.heal("w1");
    expect(await write("64M")).toMatchObject({ code: 0 });
    expect((await lab.exec("w1", ["find", "/", "-xdev", "-name", "ballast"])).stdout).toBe("");
  });

  it("refuse hosts that are not there before they touch one that is", async () => {
    const unknown = { code: "PB_LAB_UNKNOWN_HOST" };
    await expect(lab.cut("w1", "w9")).rejects.toMatchObject(unknown);
    await expect(lab.delay(["w1", "w9"], { delay: "5ms" })).rejects.toMatchObject(unknown);
    await expect(lab.fill(["w1", "w9"])).rejects.toMatchObject(unknown);
    expect((await lab.state()).hosts["w1"]!.faults).toBeUndefined();
  });

  it("leave nothing behind when the lab goes down in the middle of them", async () => {
    await lab.delay(["w1", "w2"], { delay: "5ms", loss: 1 });
    await lab.delayAll({ delay: "5ms" });
    await lab.cut("w2");
    await lab.fill("w1");
    const lines = Object.values((await lab.state()).services).map((service) => service.process);
    expect(lines).toHaveLength(4);
    await lab.down();
    expect(await Promise.all(lines.map(isAlive))).toEqual([false, false, false, false]);
    expect((await namespaces()).filter((name) => name.includes(NAME))).toEqual([]);
    const processes = (await run(sh`ps -eo args`)).split("\n");
    expect(processes.filter((line) => line.includes(NAME) || line.includes(plan.machine))).toEqual(
      [],
    );
    expect(await run(sh`ip -br link`)).not.toMatch(/cable|[dnf]-w[12]|faults-test/);
  });
});
