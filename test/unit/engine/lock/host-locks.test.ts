import { spawn } from "node:child_process";
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { script, sh } from "#engine/host/command.ts";
import type { Connection } from "#engine/host/connection.ts";
import { FakeHost } from "#engine/host/fake/host.ts";
import { FakeConnection } from "#engine/host/fake/transport.ts";
import { localTransport } from "#engine/host/local.ts";
import { HostLocks } from "#engine/lock/host-locks.ts";
import { freeScript, lockScript, showScript } from "#engine/lock/lock-script.ts";
import { parseLockState } from "#engine/lock/owner.ts";
import { settled, VirtualClock } from "../../../support/virtual-clock.ts";

// The host is this machine, with a real sh, flock and watchdog; its locks lie in the test's own folder.
const folder = () => process.env["RUN_PLAYBOOK_RUN_DIR"] ?? "";
const inLock = (name: string) => join(folder(), "lock", name);
const connect = () => localTransport().connect({ name: "h1", address: "localhost" });

const open: (() => Promise<void>)[] = [];
const connections: Connection[] = [];
beforeEach(() => rmSync(folder(), { recursive: true, force: true, maxRetries: 5 }));
afterEach(async () => {
  await Promise.all(open.splice(0).map((release) => release()));
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
});

async function engine(run: string, user = "anna", ...resumes: string[]) {
  const connection = await connect();
  const clock = new VirtualClock({ auto: false });
  const lost: unknown[] = [];
  const locks = new HostLocks({
    owner: { run, user, machine: "ops1" },
    resumes,
    hosts: new Map([["h1", undefined]]),
    clock,
    lost: (_, error) => lost.push(error),
  });
  /** The last call of the run, and the end of it. */
  const release = async () => {
    for (const { command, ...as } of (await locks.end()).values())
      await connection.run(command, as);
  };
  open.push(release);
  connections.push(connection);
  /** Lets a heartbeat go out and come back. */
  const beat = async () => {
    await clock.advance(10_000);
    await connection.run(sh`true`);
    await settled();
  };
  return { connection, locks, release, lost, beat, take: () => locks.take("h1", connection) };
}

// A process may end while it is looked at.
const target = (path: string) => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
};

const state = async () => {
  const connection = await connect();
  const { stdout } = await connection.run(script(showScript));
  await connection.close();
  return parseLockState(stdout);
};

const lockedBy = (owner: string) =>
  expect.objectContaining({ code: "PB_HOST_LOCKED", message: `h1 is locked by ${owner}.` });

describe("a host's lock", () => {
  test("keeps a second run out, which is told who, since when and from where", async () => {
    const [one, two] = [await engine("2026-01-01-0000-aaaa"), await engine("run-2", "bob")];
    await one.take();
    await expect(two.take()).rejects.toEqual(
      lockedBy("run 2026-01-01-0000-aaaa of anna on ops1, since 2026-01-01 00:00 UTC"),
    );
    await one.take();
    expect(await state()).toMatchObject({ held: true, owner: { user: "anna" } });
  });

  test("is given back at once, so that the next run need not wait", async () => {
    const [one, two] = [await engine("run-1"), await engine("run-2")];
    await one.take();
    await one.connection.close((await one.locks.end()).get("h1"));
    await two.take();
    expect(await state()).toMatchObject({ held: true, owner: { run: "run-2" } });
  });

  test("goes to one of many that ask in the same moment", async () => {
    const engines = await Promise.all(
      Array.from({ length: 6 }, (_, index) => engine(`run-${index}`)),
    );
    const asked = await Promise.allSettled(engines.map(({ take }) => take()));
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const { owner } = await state();
    expect(asked.findIndex(({ status }) => status === "fulfilled")).toBe(
      Number(owner?.run.slice("run-".length)),
    );
  });

  test("is taken over by a run that goes on with a dead one, at once", async () => {
    const [killed, resumed] = [await engine("run-1"), await engine("run-2", "bob", "run-1")];
    await killed.take();
    await resumed.take();
    await resumed.beat();
    expect(resumed.lost).toEqual([]);
    expect(await state()).toMatchObject({ held: true, owner: { run: "run-2", user: "bob" } });
    await killed.beat();
    expect(killed.lost).toMatchObject([{ code: "PB_LOCK_LOST" }]);
    await killed.release();
    expect(await state()).toMatchObject({ held: true });
  });

  test("is taken over from the run before a run that was killed before it came to the host", async () => {
    const [first, third] = [await engine("run-1"), await engine("run-3", "bob", "run-2", "run-1")];
    await first.take();
    await third.take();
    expect(await state()).toMatchObject({ held: true, owner: { run: "run-3", user: "bob" } });
  });

  test("is not taken over from anybody else", async () => {
    const [one, two] = [await engine("run-3"), await engine("run-2", "bob", "run-1")];
    await one.take();
    await expect(two.take()).rejects.toMatchObject({ code: "PB_HOST_LOCKED" });
  });

  test("is readable by root alone", async () => {
    const { take, connection } = await engine("run-1");
    await take();
    const { stdout } = await connection.run(sh`stat -c ${"%a"} ${inLock("")} ${inLock("owner")}`);
    expect(stdout).toBe("700\n600\n");
  });

  test("is not held by what the run starts", async () => {
    const { take, connection } = await engine("run-1");
    await take();
    await connection.run(script("setsid sleep 30 >/dev/null 2>&1 </dev/null & echo $!"));
    const holders = globSync("/proc/[0-9]*/fd/*").filter((path) => target(path) === inLock("held"));
    const pids = holders.map((path) => path.split("/")[2]);
    expect(pids).toEqual([readFileSync(inLock("pid"), "utf8").trim()]);
  });

  test("is not asked for on a host that the run only looks at", async () => {
    const host = new FakeHost();
    const { locks } = await engine("run-1");
    await locks.take("h2", new FakeConnection(host, { name: "h2", address: "h2" }));
    expect(host.ran).toEqual([]);
  });

  test("that cannot be had for want of a tool says which", async () => {
    const host = new FakeHost().script(lockScript, () => ({
      code: 8,
      stderr: "flock is missing\n",
    }));
    const { locks } = await engine("run-1");
    const taking = locks.take("h1", new FakeConnection(host, { name: "h1", address: "h1" }));
    await expect(taking).rejects.toMatchObject({
      code: "PB_LOCK_FAILED",
      message: "h1 cannot be locked: flock is missing.",
    });
  });

  test("of whose owner the host tells nonsense still keeps others out, and shows none of it", async () => {
    const [one, two] = [await engine("run-1"), await engine("run-2")];
    await one.take();
    writeFileSync(inLock("owner"), "run-1\n\u001b[2Janna\nops1\n99999999999999999\n");
    await expect(two.take()).rejects.toEqual(
      lockedBy("somebody of whom it says nothing that makes sense"),
    );
  });
});

describe("heartbeats", () => {
  test("reach the host every 10 s, and end with the run", async () => {
    const { take, beat, release, connection, lost } = await engine("run-1");
    await take();
    for (let round = 0; round < 2; round += 1) {
      rmSync(inLock("beat"), { force: true });
      await beat();
      expect(existsSync(inLock("beat"))).toBe(true);
    }
    await release();
    rmSync(inLock("beat"), { force: true });
    await beat();
    expect(existsSync(inLock("beat"))).toBe(false);
    expect(lost).toEqual([]);
    await connection.run(sh`true`);
  });

  test("find that the lock was freed by hand, and by whom it was taken then", async () => {
    const [one, two] = [await engine("run-1"), await engine("run-2", "bob")];
    await one.take();
    await one.connection.run(script(freeScript, "run-1"));
    await two.take();
    await one.beat();
    await one.beat();
    expect(one.lost).toEqual([
      expect.objectContaining({
        code: "PB_LOCK_LOST",
        message: expect.stringContaining("run run-2 of bob on ops1, since 2026-01-01"),
      }),
    ]);
  });

  test("find that it was freed by hand though nobody took it", async () => {
    const { take, beat, connection, lost } = await engine("run-1");
    await take();
    await connection.run(script(freeScript, "run-1"));
    await beat();
    expect(lost).toMatchObject([{ code: "PB_LOCK_LOST" }]);
    expect(await state()).toMatchObject({ held: false });
  });

  test("start the watchdog again where something ended it and nobody else came", async () => {
    const { take, beat, lost } = await engine("run-1");
    await take();
    process.kill(Number(readFileSync(inLock("pid"), "utf8")), "SIGKILL");
    await expect.poll(async () => (await state()).held).toBe(false);
    await beat();
    expect(await state()).toMatchObject({ held: true, owner: { run: "run-1" } });
    expect(lost).toEqual([]);
  });
});

describe("a new connection", () => {
  const restarted = () => {
    process.kill(Number(readFileSync(inLock("pid"), "utf8")), "SIGKILL");
    rmSync(folder(), { recursive: true, maxRetries: 5 });
  };

  test("takes the lock anew on a host that forgot it, as it was started anew", async () => {
    const { take, beat, locks, connection, lost } = await engine("run-1");
    await take();
    restarted();
    locks.renew("h1", connection);
    await beat();
    expect(await state()).toMatchObject({ held: true, owner: { run: "run-1" } });
    expect(lost).toEqual([]);
  });

  test("finds that another run had the host meanwhile, though it is over by now", async () => {
    const [one, two] = [await engine("run-1"), await engine("run-2")];
    await one.take();
    restarted();
    await two.take();
    await two.release();
    await expect(one.take()).rejects.toMatchObject({ code: "PB_LOCK_LOST" });
  });
});

describe("a guarded change that is not confirmed yet", () => {
  async function guardAtWork() {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(join(folder(), "active-guard"), "");
    const lock = join(folder(), "guard.lock");
    const guard = spawn("flock", ["-F", lock, "sh", "-c", "echo; exec sleep 60"]);
    await new Promise((resolve) => guard.stdout.once("data", resolve));
    return async () => {
      rmSync(join(folder(), "active-guard"));
      const ended = new Promise((resolve) => guard.once("close", resolve));
      guard.kill();
      await ended;
    };
  }

  test("keeps the lock though the run gives it back, until it is over", async () => {
    const [one, two, three] = [await engine("run-1"), await engine("run-2"), await engine("run-3")];
    await one.take();
    const over = await guardAtWork();
    await one.release();
    await expect(two.take()).rejects.toMatchObject({
      code: "PB_HOST_LOCKED",
      context: {
        state: "a guarded change on h1 is not over yet; the host keeps the lock until it is",
      },
    });
    expect(await state()).toMatchObject({ held: true, guarded: true });
    await over();
    await three.take();
  });

  test("is not freed by hand either", async () => {
    const one = await engine("run-1");
    await one.take();
    const over = await guardAtWork();
    expect(await one.connection.run(script(freeScript, "run-1"))).toMatchObject({ code: 5 });
    expect(await state()).toMatchObject({ held: true });
    await over();
    expect(await one.connection.run(script(freeScript, "run-1"))).toMatchObject({ code: 0 });
    expect(await state()).toMatchObject({ held: false });
  });

  test("that died without a word keeps nothing", async () => {
    const [one, two] = [await engine("run-1"), await engine("run-2")];
    await one.take();
    writeFileSync(join(folder(), "active-guard"), "");
    await one.release();
    await two.take();
  });
});
