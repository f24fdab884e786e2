/** What the transport costs, over a private sshd on this machine: `node --conditions=@run-playbook/source bench/transport.ts` */
import { join } from "node:path";
import { script, sh } from "#engine/host/command.ts";
import type { Connection } from "#engine/host/connection.ts";
import { localTransport } from "#engine/host/local.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { type Sshd, startSshd } from "../test/support/sshd.ts";
import { Wire } from "../test/support/wire.ts";

const print = (label: string, value: string) =>
  process.stdout.write(`${label.padEnd(58)}${value}\n`);
const ms = (value: number) => `${value.toFixed(1)} ms`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function median(times: number, work: () => Promise<unknown>): Promise<number> {
  const all: number[] = [];
  for (let index = 0; index < times; index++) all.push(await timed(work));
  return all.sort((a, b) => a - b)[Math.floor(times / 2)] ?? Number.NaN;
}

async function calls(label: string, host: Connection): Promise<void> {
  await host.run(sh`true`);
  print(`${label}: run true`, ms(await median(100, () => host.run(sh`true`))));
  print(`${label}: read a small file`, ms(await median(50, () => host.readFile("/etc/hostname"))));
  const loop = "i=0; while [ $i -lt 200 ]; do ( exec true ) & wait $!; i=$((i + 1)); done";
  const floor = await median(5, () => host.run(script(loop)));
  print(`${label}: 200 times fork and exec on the host, nothing else`, ms(floor));
  const many = () => Promise.all(Array.from({ length: 200 }, () => host.run(sh`true`)));
  const all = await median(5, many);
  print(`${label}: 200 calls in one tick`, `${ms(all)} (${ms(all / 200)} each)`);
}

async function overWire(sshd: Sshd, delayMs: number): Promise<void> {
  const wire = await Wire.to(sshd.port);
  wire.delayMs = delayMs;
  const knownHostsFile = join(sshd.folder, "bench_known_hosts");
  const target = {
    ...sshd.target,
    port: wire.port,
    knownHostsFile,
    hostKeys: "accept-new" as const,
  };
  const host = await sshTransport({ configFiles: [] }).connect(target);
  const label = `ssh, RTT ${2 * delayMs} ms`;
  await calls(label, host);
  const content = Buffer.alloc(2048, "x");
  const write = () => host.writeFile(join(sshd.folder, "small"), content);
  print(`${label}: write 2 KiB, flushed and renamed`, ms(await median(10, write)));
  await host.close();
  await wire.stop();
}

const sshd = await startSshd();
try {
  const ssh = sshTransport({ configFiles: [] });
  print("connect", ms(await median(11, async () => (await ssh.connect(sshd.target)).close())));
  const first = async () => {
    const host = await ssh.connect(sshd.target);
    await host.run(sh`true`);
    await host.close();
  };
  print("connect, one call, close", ms(await median(5, first)));
  const local = await localTransport().connect({ name: "here", address: "::1" });
  await calls("local", local);
  await local.close();
  const host = await ssh.connect(sshd.target);
  await calls("ssh", host);
  const write = () => host.writeFile(join(sshd.folder, "small"), Buffer.alloc(2048, "x"));
  print("ssh: write 2 KiB, flushed and renamed", ms(await median(20, write)));
  await host.close();
  await overWire(sshd, 25);
  print("RSS", `${Math.round(process.memoryUsage.rss() / 1e6)} MB`);
} finally {
  await sshd.stop();
}
