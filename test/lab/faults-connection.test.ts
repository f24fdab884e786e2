import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { settleLeftovers } from "#engine/converge/leftovers.ts";
import { upload } from "#engine/dsl/change.ts";
import { defineModule, defineProbe } from "#engine/dsl/module.ts";
import { script } from "#engine/host/command.ts";
import { sshTransport } from "#engine/host/ssh/transport.ts";
import { openLab } from "#lab/lab.ts";
import { until } from "#lab/machine/until.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { ensureOn, type LabPlayed, playOnLab } from "../support/lab-play.ts";
import { onceModule } from "../support/once.ts";

// Full and read-only disks are in bad-input.test.ts and transport/disk.test.ts, a control plane that loses power in
// cluster-input.test.ts, a killed engine in guarded-kill.test.ts.
const lab = openLab("gaps");
const folder = mkdtempSync(join(tmpdir(), "run-playbook-gaps-"));
let view: LabView;

/** The keepalive's patience with a silent host is 20 s; what a run then still does is quick. */
const NOTICED_MS = 45_000;

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2", "w3"], disk: "1G", bare: true, yes: true });
});

// Whatever became of a test, the next one begins on a lab without faults.
afterEach(() => lab.heal());

afterAll(async () => {
  await lab.down();
  rmSync(folder, { recursive: true });
});

const once = onceModule();

/** A gate that does something to the lab: what comes after it comes after that. */
const doing = (what: () => Promise<void>) =>
  defineProbe({
    name: "doing",
    summary: "The test does its part.",
    params: z.strictObject({}),
    async check() {
      await what();
      return { holds: true, saw: "done" };
    },
  })({});

const exec = async (host: string, text: string): Promise<string> => {
  const { code, stdout, stderr } = await lab.exec(host, ["sh", "-c", text]);
  expect(code, `${text}\n${stderr}`).toBe(0);
  return stdout.trim();
};

/** Waits until a file is on a host, whatever its network does. */
const appears = async (host: string, path: string): Promise<void> => {
  const there = async () =>
    (await lab.exec(host, ["sh", "-c", `ls ${path}`])).code === 0 || undefined;
  expect(await until(there, { seconds: 30 }), `${path} on ${host}`).toBe(true);
};

/** How often the change was applied on the host. */
const times = async (host: string, name: string): Promise<number> =>
  Number(await exec(host, `cat /var/lib/${name}.times 2>/dev/null | wc -l`));

/** How the run ended, and how long that took from now. */
async function timed(running: Promise<LabPlayed>): Promise<LabPlayed & { ms: number }> {
  const began = performance.now();
  const played = await running;
  return { ...played, ms: performance.now() - began };
}

const lost = (host: string) => [expect.objectContaining({ code: "PB_CONNECTION_LOST", host })];

/** The same again on a healthy lab: no error, and just so many changes. */
async function finishes(host: string, name: string, changed: number): Promise<void> {
  const again = await ensureOn(view, host, once({ name }));
  expect(again.errors).toEqual([]);
  expect(again.recap).toMatchObject({ changed, exitCode: 0 });
  await exec(host, `test -e /var/lib/${name}.done`);
}

test("cut before a change: nothing is begun there, the other host goes on, the next run makes it", async () => {
  const played = await timed(
    playOnLab(view, ({ step, gate, control, on }) => {
      const both = on("w1").and(on("w2"));
      const seen = step("seen", { on: both, ensure: use.assertOs({}) });
      const dark = gate("dark", {
        on: control,
        after: [seen],
        within: "30s",
        until: doing(() => lab.cut("w1")),
      });
      step("apply", { on: both, after: [dark], ensure: once({ name: "before" }) });
    }),
  );
  expect(played.errors).toEqual(lost("w1"));
  expect(played.recap).toMatchObject({ changed: 1, exitCode: 1 });
  expect(played.ms).toBeLessThan(NOTICED_MS);
  expect([await times("w1", "before"), await times("w2", "before")]).toEqual([0, 1]);
  await lab.heal("w1");
  await finishes("w1", "before", 1);
  await finishes("w2", "before", 0);
});

test("cut during a change that ends in the dark: it is in doubt, and not made again", async () => {
  const running = ensureOn(view, "w1", once({ name: "during", hold: true }));
  await appears("w1", "/run/during.begun");
  await lab.cut("w1");
  await exec("w1", "touch /run/during.go");
  const played = await timed(running);
  expect(played.errors).toEqual(lost("w1"));
  expect(played.errors[0]?.state).toContain("in doubt");
  expect(played.ms).toBeLessThan(NOTICED_MS);
  await appears("w1", "/var/lib/during.done");
  await lab.heal("w1");
  await finishes("w1", "during", 0);
  expect(await times("w1", "during")).toBe(1);
});

const operator = { user: "tester", machine: "here" };
const settling = (host: string) => exec(host, "pgrep -fc '^sh -c # leftovers' || true");

test("cut for longer, with attempts left: what hangs below a living sshd is awaited, not begun beside itself", async () => {
  const retrying = Promise.withResolvers<void>();
  const running = playOnLab(
    view,
    ({ step, on }) => {
      step("it", {
        on: on("w1"),
        retries: { times: 2, delay: "1s" },
        ensure: once({ name: "beside", hold: true }),
      });
    },
    { operator, emit: ({ type }) => type === "node-waiting" && retrying.resolve() },
  );
  await appears("w1", "/run/beside.begun");
  await lab.cut("w1");
  await Promise.race([retrying.promise, running]);
  await lab.heal("w1");
  await expect.poll(() => settling("w1"), { timeout: 30_000 }).toBe("1");
  expect(await times("w1", "beside")).toBe(1);
  await exec("w1", "touch /run/beside.go");
  const played = await running;
  expect(played.recap, JSON.stringify(played.errors)).toMatchObject({ failed: 0, exitCode: 0 });
  expect(await times("w1", "beside")).toBe(1);
});

test("a shell below a living sshd is waited for by the run that goes on with its run, and by whoever has the lock next", async () => {
  const { identityFile, knownHostsFile, hosts } = view;
  const ssh = sshTransport({ configFiles: [] });
  const { address = "" } = hosts.find(({ name }) => name === "w2") ?? {};
  const target = { name: "w2", address, user: "root", identityFile, knownHostsFile };
  const as = (id: string, lockedAs?: string) =>
    ssh.connect({ ...target, run: { id, ...(lockedAs && { lockedAs }) } });
  await using open = new AsyncDisposableStack();
  const connect = async (...mark: Parameters<typeof as>) =>
    open.adopt(await as(...mark), (connection) => connection.close());
  const first = await connect("first");
  const hung = first.run(script(`while [ ! -e /run/hung.go ]; do sleep 0.1; done`), { long: true });
  // Whoever has nothing to do with it is not held up: another lock, or nothing that is changed.
  await settleLeftovers(await connect("other", "ops"), "w2");
  await settleLeftovers(
    open.adopt(await ssh.connect(target), (c) => c.close()),
    "w2",
  );
  await settleLeftovers(first, "w2");
  const waiting = [
    settleLeftovers(await connect("second", "ops"), "w2", ["first"]),
    settleLeftovers(await connect("first"), "w2"),
    settleLeftovers(await connect("third"), "w2"),
  ];
  await expect.poll(() => settling("w2"), { timeout: 30_000 }).toBe("3");
  await exec("w2", "touch /run/hung.go");
  await Promise.all([...waiting, hung]);
});

test("cut for less than the keepalive's patience: the run never notices", async () => {
  const running = ensureOn(view, "w1", once({ name: "short", hold: true }));
  await appears("w1", "/run/short.begun");
  await lab.cut("w1");
  await exec("w1", "touch /run/short.go");
  await appears("w1", "/var/lib/short.done");
  await lab.heal("w1");
  const played = await running;
  expect(played.errors).toEqual([]);
  expect(played.recap).toMatchObject({ changed: 1, exitCode: 0 });
  expect(await times("w1", "short")).toBe(1);
});

test("cut after a change, before it was looked at: it failed for this run, and is not made again", async () => {
  const cutting = onceModule((host) => lab.cut(host));
  const played = await timed(ensureOn(view, "w1", cutting({ name: "after" })));
  expect(played.errors).toEqual(lost("w1"));
  expect(played.errors[0]?.state).toBe("every change on w1 was made");
  expect(played.ms).toBeLessThan(NOTICED_MS);
  await lab.heal("w1");
  await finishes("w1", "after", 0);
  expect(await times("w1", "after")).toBe(1);
});

const big = defineModule({
  name: "big",
  summary: "A large file.",
  params: z.strictObject({ from: z.string(), sha256: z.string() }),
  async read(host) {
    return { sha256: await host.sha256("/var/lib/big") };
  },
  *diff(now, want) {
    if (now.sha256 !== want.sha256) yield upload(want.from, "/var/lib/big");
  },
});

test("hosts lose power in the middle of a command and of a file, and come back: nothing is half written", async () => {
  const bytes = randomBytes(48_000_000);
  const from = join(folder, "big");
  writeFileSync(from, bytes);
  const file = big({ from, sha256: createHash("sha256").update(bytes).digest("hex") });
  await exec("w2", "echo old >/var/lib/big && sync");
  // Slow enough to be caught in the middle.
  await lab.delay("w2", { delay: "40ms" });

  const running = playOnLab(view, ({ step, on }) => {
    step("command", { on: on("w1"), ensure: once({ name: "power", hold: true }) });
    const sent = step("file", { on: on("w2"), ensure: file });
    step("next", { on: on("w2"), after: [sent], ensure: once({ name: "next" }) });
  });
  await Promise.all([appears("w1", "/run/power.begun"), appears("w2", "/var/lib/.pb-*")]);
  await lab.kill("w1", "w2");
  await lab.start("w1", "w2");
  const played = await timed(running);
  expect(played.errors).toHaveLength(2);
  expect(played.errors).toEqual(expect.arrayContaining([...lost("w1"), ...lost("w2")]));
  expect(played.recap).toMatchObject({ failed: 2, skipped: 1, exitCode: 1 });
  expect(played.ms).toBeLessThan(NOTICED_MS);
  expect(await exec("w2", "cat /var/lib/big")).toBe("old");
  expect(await times("w2", "next")).toBe(0);

  await lab.heal("w2");
  await finishes("w1", "power", 1);
  const again = await ensureOn(view, "w2", file);
  expect(again.errors).toEqual([]);
  expect((await ensureOn(view, "w2", file)).recap).toMatchObject({ changed: 0, exitCode: 0 });
});

test("sshd is restarted between two steps, and then every session of it is ended: the run goes on", async () => {
  const played = await playOnLab(view, ({ step, gate, control, on }) => {
    const here = { on: on("w3"), timeout: "30s" } as const;
    const one = step("one", { ...here, ensure: once({ name: "sshd-1" }) });
    const restarted = gate("sshd is restarted", {
      on: control,
      after: [one],
      within: "30s",
      until: doing(async () => void (await exec("w3", "systemctl restart ssh"))),
    });
    const two = step("two", { ...here, after: [restarted], ensure: once({ name: "sshd-2" }) });
    const ended = gate("its sessions are ended", {
      on: control,
      after: [two],
      within: "30s",
      until: doing(async () => void (await exec("w3", END_SESSIONS))),
    });
    step("three", { ...here, after: [ended], ensure: once({ name: "sshd-3" }) });
  });
  expect(played.errors).toEqual([]);
  expect(played.recap).toMatchObject({ changed: 3, exitCode: 0 });
  for (const name of ["sshd-1", "sshd-2", "sshd-3"]) expect(await times("w3", name)).toBe(1);
});

// The host's own: of the unit's processes and of nobody else's.
const END_SESSIONS = "systemctl kill --signal=KILL ssh && systemctl restart ssh";

test("sshd ends the session in the middle of a change: noticed at once, and the next run finishes", async () => {
  const running = ensureOn(view, "w3", once({ name: "session", hold: true }));
  await appears("w3", "/run/session.begun");
  await exec("w3", END_SESSIONS);
  const played = await timed(running);
  expect(played.errors).toEqual(lost("w3"));
  expect(played.ms).toBeLessThan(10_000);
  await exec("w3", "touch /run/session.go");
  const again = await ensureOn(view, "w3", once({ name: "session" }));
  expect(again.errors).toEqual([]);
  await exec("w3", "test -e /var/lib/session.done");
});

test("200 ms and 30 % loss each way: a small playbook ends in its time, whole or with the reason, and the next run finishes", async () => {
  const content = "line\n".repeat(40_000);
  const small = (wrong?: () => Promise<void>) =>
    playOnLab(view, ({ step, gate, control, on }) => {
      const here = { on: on("w3"), timeout: "60s" } as const;
      const seen = step("seen", { ...here, ensure: use.assertOs({}) });
      const bad = gate("the line goes bad", {
        on: control,
        after: [seen],
        within: "30s",
        until: doing(async () => wrong?.()),
      });
      const file = step("file", {
        ...here,
        after: [bad],
        ensure: use.file({ path: "/etc/loss.conf", content }),
      });
      step("apply", { ...here, after: [file], ensure: once({ name: "loss" }) });
    });
  const played = await timed(small(() => lab.delay("w3", { delay: "200ms", loss: 30 })));
  expect(played.ms).toBeLessThan(150_000);
  for (const { code } of played.errors)
    expect(["PB_CONNECTION_LOST", "PB_STEP_TIMEOUT", "PB_TIMEOUT"]).toContain(code);
  expect(played.recap.exitCode).toBe(played.errors.length === 0 ? 0 : 1);
  expect(await exec("w3", "cat /etc/loss.conf 2>/dev/null | wc -c")).toMatch(/^(0|200000)$/);
  const before = await times("w3", "loss");

  await lab.heal("w3");
  const again = await small();
  expect(again.errors).toEqual([]);
  expect(again.recap).toMatchObject({ exitCode: 0 });
  expect(await exec("w3", "wc -c </etc/loss.conf; ls /var/lib/loss.done")).toBe(
    "200000\n/var/lib/loss.done",
  );
  expect(await times("w3", "loss")).toBe(Math.max(1, before));
  expect((await small()).recap).toMatchObject({ changed: 0 });
});
