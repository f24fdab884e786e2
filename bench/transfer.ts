/**
 * Files against scp, in one run and turn by turn, over a private sshd on this machine: `npm run bench:transfer`, or
 * `npm run bench:transfer -- 50` for 50 MB in place of 200.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Connection } from "#engine/host/connection.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { startSshd } from "../test/support/sshd.ts";

const TURNS = 5;
const megabytes = Number(process.argv[2] ?? 200);

const print = (label: string, value: string) =>
  process.stdout.write(`${label.padEnd(44)}${value}\n`);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const median = (all: readonly number[]): number =>
  all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;

interface Contest {
  readonly ours: () => Promise<unknown>;
  readonly scp: () => Promise<unknown>;
  /** What each leaves, gone before every turn. */
  readonly leaves: readonly string[];
  /** Of all copies together. */
  readonly megabytes: number;
}

async function contest(label: string, { ours, scp, leaves, megabytes }: Contest): Promise<void> {
  const times = { ours: [] as number[], scp: [] as number[] };
  const clear = () => {
    for (const path of leaves) rmSync(path, { force: true });
  };
  for (let turn = 0; turn <= TURNS; turn++)
    for (const [name, work] of Object.entries({ scp, ours }) as ["scp" | "ours", typeof ours][]) {
      clear();
      const time = await timed(work);
      // The first turn warms caches and compilers.
      if (turn > 0) times[name].push(time);
    }
  clear();
  const rate = (all: readonly number[]) => (megabytes * 1000) / median(all);
  const percent = Math.round((100 * rate(times.ours)) / rate(times.scp));
  const rates = [rate(times.ours), rate(times.scp)].map((each) => each.toFixed(0));
  print(label, `${rates[0]} MB/s   scp ${rates[1]} MB/s   ${percent} % of scp`);
}

const sshd = await startSshd();
const at = (name: string) => join(sshd.folder, name);
const from = at("from");
const target = `[::1]:${sshd.folder}/`;
const options = ["-q", "-i", sshd.identityFile, "-P", String(sshd.port)];
const scp = (...files: string[]) =>
  promisify(execFile)("scp", [
    ...options,
    "-o",
    `UserKnownHostsFile=${sshd.knownHostsFile}`,
    ...files,
  ]);

try {
  const file = openSync(from, "w");
  for (let part = 0; part < megabytes; part++) writeSync(file, randomBytes(1_000_000));
  closeSync(file);
  const ssh = sshTransport({ configFiles: [] });
  const connect = () => ssh.connect(sshd.target);

  // Each makes its own connection, as scp does.
  const alone = async (work: (host: Connection) => Promise<unknown>) => {
    const host = await connect();
    await work(host);
    await host.close();
  };
  await contest(`upload, ${megabytes} MB`, {
    ours: () => alone((host) => host.upload(from, at("up"))),
    scp: () => scp(from, `${target}up`),
    leaves: [at("up")],
    megabytes,
  });
  await contest(`download, ${megabytes} MB`, {
    ours: () => alone((host) => host.download(from, at("down"))),
    scp: () => scp(`${target}from`, at("down")),
    leaves: [at("down")],
    megabytes,
  });
  const copies = Array.from({ length: 8 }, (_, index) => `copy-${index}`);
  await contest(`the same file to 8 hosts at once`, {
    ours: () => Promise.all(copies.map((copy) => alone((host) => host.upload(from, at(copy))))),
    scp: () => Promise.all(copies.map((copy) => scp(from, `${target}${copy}`))),
    leaves: copies.map(at),
    megabytes: 8 * megabytes,
  });
  const host = await connect();
  await host.upload(from, at("up"));
  print(
    "upload of what is there already",
    `${(await timed(() => host.upload(from, at("up")))).toFixed(0)} ms`,
  );
  await host.close();
  print("most memory that was used", `${Math.round(process.resourceUsage().maxRSS / 1000)} MB`);
} finally {
  await sshd.stop();
}
