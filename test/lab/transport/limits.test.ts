import { afterEach, describe, expect, it, vi } from "vitest";
import { sh } from "#engine/host/command.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { startSshd } from "../../support/sshd.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function server(...config: string[]) {
  const sshd = await startSshd({ config });
  stops.push(() => sshd.stop());
  return sshd;
}

describe("the server's limits", () => {
  it("holds 20 long calls at a time below MaxSessions", async () => {
    const sshd = await server();
    const host = await sshTransport({ configFiles: [] }).connect(sshd.target);
    stops.push(() => host.close());
    const calls = Array.from({ length: 20 }, (_, n) => host.run(sh`echo ${n}`, { long: true }));
    expect((await Promise.all(calls)).map(({ stdout }) => Number(stdout))).toEqual([
      ...calls.keys(),
    ]);
    expect(sshd.log()).not.toContain("no more sessions");
  });

  it("tries again where the server refuses a session, and short calls go on", async () => {
    const sshd = await server("MaxSessions 2");
    const host = await sshTransport({ configFiles: [] }).connect(sshd.target);
    stops.push(() => host.close());
    await host.run(sh`true`);
    const calls = Array.from({ length: 5 }, () => host.run(sh`sleep 0.1`, { long: true }));
    expect((await host.run(sh`echo short`)).stdout).toBe("short\n");
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(sshd.log()).toContain("no more sessions");
  });

  it.each([1, 2])(
    "becomes one user after the other with %i sessions, and waits for none",
    async (sessions) => {
      const sshd = await startSshd({
        config: [`MaxSessions ${sessions}`],
        users: [{ name: "ops", sudo: "ALL=(ALL:ALL) NOPASSWD: ALL" }, { name: "app" }],
      });
      stops.push(() => sshd.stop());
      const host = await sshTransport({ configFiles: [] }).connect({ ...sshd.target, user: "ops" });
      stops.push(() => host.close());
      for (const as of ["ops", "root", "app", "ops", "root", "app"]) {
        const timeoutMs = 20_000;
        expect((await host.run(sh`id -un`, { as, timeoutMs })).stdout).toBe(`${as}\n`);
        const content = Buffer.alloc(300 * 1024, as);
        const path = `/tmp/limits-${process.pid}`;
        // On a session of its own.
        await host.writeFile(path, content, { as, timeoutMs });
        expect((await host.run(sh`rm ${path}`, { as, long: true, timeoutMs })).code).toBe(0);
      }
      const together = ["ops", "root", "app"].flatMap((as) => [
        host.run(sh`id -un`, { as, timeoutMs: 20_000 }),
        host.run(sh`sh -c ${"sleep 0.1; id -un"}`, { as, long: true, timeoutMs: 20_000 }),
      ]);
      expect((await Promise.all(together)).map(({ stdout }) => stdout.trim())).toEqual(
        ["ops", "root", "app"].flatMap((as) => [as, as]),
      );
    },
  );

  it("says so when the server gives no session at all", async () => {
    const sshd = await server("MaxSessions 0");
    const host = await sshTransport({ configFiles: [] }).connect(sshd.target);
    stops.push(() => host.close());
    await expect(host.run(sh`true`, { timeoutMs: 500 })).rejects.toMatchObject({
      code: "PB_CHANNELS_EXHAUSTED",
    });
  });

  it("gets 24 connections to one sshd that sheds them (MaxStartups)", async () => {
    const sshd = await server("MaxStartups 6:50:12");
    const ssh = sshTransport({ configFiles: [] });
    const hosts = await Promise.all(
      Array.from({ length: 24 }, () => ssh.connect(sshd.target, { timeoutMs: 60_000 })),
    );
    const replies = await Promise.all(hosts.map((host) => host.run(sh`echo in`)));
    expect(replies.map(({ stdout }) => stdout)).toEqual(Array(24).fill("in\n"));
    await Promise.all(hosts.map((host) => host.close()));
  }, 90_000);
});
