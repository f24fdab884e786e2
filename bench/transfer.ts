/** Files against scp, turn by turn, over a private sshd on this machine. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Connection } from "#engine/host/connection.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { type Sshd, startSshd } from "../test/support/sshd.ts";
import { median } from "./measure.ts";

const TURNS = 5;
const COPIES = 8;

/** What was carried, and the median rates at which that went, in MB/s. */
export interface Transfer {
  readonly what: string;
  readonly ours: number;
  readonly scp: number;
}

interface Contest {
  readonly what: string;
  readonly ours: () => Promise<unknown>;
  readonly scp: () => Promise<unknown>;
  /** What each leaves, gone before every turn. */
  readonly leaves: readonly string[];
  /** Of all copies together. */
  readonly megabytes: number;
}

/** Uploads, downloads, and one file to several hosts at once. Each makes its own connection, as scp does. */
export async function measureTransfers(megabytes: number): Promise<Transfer[]> {
  const sshd = await startSshd();
  try {
    writeRandom(join(sshd.folder, "from"), megabytes);
    const transfers: Transfer[] = [];
    for (const contest of contests(sshd, megabytes)) transfers.push(await hold(contest));
    return transfers;
  } finally {
    await sshd.stop();
  }
}

function contests(sshd: Sshd, megabytes: number): Contest[] {
  const at = (name: string) => join(sshd.folder, name);
  const [from, up, down] = [at("from"), at("up"), at("down")];
  const copies = Array.from({ length: COPIES }, (_, index) => at(`copy-${index}`));
  const there = (path: string) => `[::1]:${path}`;
  const ssh = sshTransport({ configFiles: [] });
  const alone = async (work: (host: Connection) => Promise<unknown>) => {
    const host = await ssh.connect(sshd.target);
    await work(host);
    await host.close();
  };
  const scp = (...files: string[]) => {
    const known = `UserKnownHostsFile=${sshd.knownHostsFile}`;
    const options = ["-q", "-i", sshd.identityFile, "-P", String(sshd.port), "-o", known];
    return promisify(execFile)("scp", [...options, ...files]);
  };
  return [
    {
      what: `upload of ${megabytes} MB`,
      ours: () => alone((host) => host.upload(from, up)),
      scp: () => scp(from, there(up)),
      leaves: [up],
      megabytes,
    },
    {
      what: `download of ${megabytes} MB`,
      ours: () => alone((host) => host.download(from, down)),
      scp: () => scp(there(from), down),
      leaves: [down],
      megabytes,
    },
    {
      what: `the same ${megabytes} MB to ${COPIES} hosts at once`,
      ours: () => Promise.all(copies.map((copy) => alone((host) => host.upload(from, copy)))),
      scp: () => Promise.all(copies.map((copy) => scp(from, there(copy)))),
      leaves: copies,
      megabytes: COPIES * megabytes,
    },
  ];
}

async function hold({ what, ours, scp, leaves, megabytes }: Contest): Promise<Transfer> {
  const turns: { ours: number; scp: number }[] = [];
  const time = async (work: () => Promise<unknown>): Promise<number> => {
    for (const path of leaves) rmSync(path, { force: true });
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  // The first turn warms caches and compilers.
  for (let turn = 0; turn <= TURNS; turn++)
    turns.push({ scp: await time(scp), ours: await time(ours) });
  const rate = (times: readonly number[]) =>
    Math.round((megabytes * 1000) / median(times.slice(1)));
  const rates = {
    ours: rate(turns.map((turn) => turn.ours)),
    scp: rate(turns.map((turn) => turn.scp)),
  };
  process.stderr.write(`${what}: ${rates.ours} MB/s, scp ${rates.scp} MB/s\n`);
  return { what, ...rates };
}

function writeRandom(path: string, megabytes: number): void {
  const file = openSync(path, "w");
  for (let part = 0; part < megabytes; part++) writeSync(file, randomBytes(1_000_000));
  closeSync(file);
}
