import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostEntry } from "#engine/dsl/inventory.ts";
import { openLab } from "#lab/lab.ts";
import type { LabView } from "#lab/view.ts";
import { cli, root } from "../support/cli.ts";
import { EngineProcess } from "../support/engine-process.ts";
import { folder } from "../support/program.ts";

// Real engines, each a process of its own, on real hosts.
const lab = openLab("locks");
const hosts = ["w1", "w2", "w3", "w4", "w5", "w6", "w7"] as const;
type HostName = (typeof hosts)[number];
let view: LabView;
let here: Awaited<ReturnType<typeof folder>>;

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts, bare: true, disk: "1G", yes: true });
  const files = hosts.map((name): [string, string] => [`${name}.ts`, inventory([name])]);
  here = await folder({ "both.ts": inventory(["w1", "w2"]), ...Object.fromEntries(files) });
});
afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await lab.down();
});

const sh = async (host: string, text: string) => {
  const result = await lab.exec(host, ["sh", "-c", text], { seconds: 60 });
  expect(result, text).toMatchObject({ code: 0 });
  return result.stdout.trim();
};

/** Engines of one test, on hosts that are free before and after it, whatever becomes of it. */
class Stage implements AsyncDisposable {
  readonly #hosts: readonly HostName[];
  readonly #open: EngineProcess[] = [];

  private constructor(names: readonly HostName[]) {
    this.#hosts = names;
  }

  static async on(...names: HostName[]): Promise<Stage> {
    for (const host of names) await sh(host, "rm -f /root/go");
    return new Stage(names);
  }

  start(which: "both" | HostName, only = "wait", ...args: string[]): EngineProcess {
    const engine = new EngineProcess([playbook, ...on(which), "--only", only, ...args]);
    this.#open.push(engine);
    return engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#hosts) await sh(host, "touch /root/go");
    const ended = this.#open.map((engine) => engine.ended().finally(() => engine.kill()));
    await Promise.allSettled(ended);
    for (const host of this.#hosts) await free(host, 90);
  }
}

/** By their root, w2 and w6 by a user who becomes root through sudo. */
function inventory(names: readonly string[]): string {
  const { identityFile, knownHostsFile } = view;
  const named = view.hosts.filter(({ name }) => names.includes(name));
  const entries = named.map(({ name, address }): [string, HostEntry] => [
    name,
    { address, user: /[26]$/.test(name) ? "ops" : "root", identityFile, knownHostsFile },
  ]);
  return `import { defineInventory } from "run-playbook";
export default defineInventory(${JSON.stringify({
    hosts: Object.fromEntries(entries),
    groups: { hosts: names },
  })});
`;
}

const on = (which: "both" | HostName) => ["--inventory", join(here.path, `${which}.ts`)];
const playbook = join(root, "test/fixtures/hosts/locks.ts");

/** Whether anybody holds the host, and whose name is on it. */
async function held(host: string): Promise<boolean> {
  const lock = "/run/run-playbook/lock/held";
  return (
    (await lab.exec(host, ["sh", "-c", `[ -e ${lock} ] && ! flock -n ${lock} true`])).code === 0
  );
}
const owner = (host: string) => sh(host, "head -n 1 /run/run-playbook/lock/owner");

/** Waits until nobody holds the host; gives back how long that took, in ms. */
async function free(host: string, seconds: number): Promise<number> {
  const began = Date.now();
  while (await held(host)) {
    if (Date.now() - began > seconds * 1000)
      throw new Error(`${host} is still held after ${seconds} s`);
    await sleep(200);
  }
  return Date.now() - began;
}

describe("locks on real hosts", () => {
  it("let one run at a time on a host, and say who it is, since when and from where", async () => {
    await using stage = await Stage.on("w1", "w2");
    const first = stage.start("w1");
    await first.atWork("wait", "w1");
    await sh("w2", "touch /root/go");
    const second = stage.start("both");
    expect(await second.ended()).toMatchObject({ code: 1, recap: { ok: 1, unreachable: 1 } });
    const { user, machine } = { user: userInfo().username, machine: hostname() };
    const by = `w1 is locked by run ${await first.id()} of ${process.env["SUDO_USER"] ?? user} on ${machine}, since `;
    expect(second.refusal("w1")).toMatchObject({
      code: "PB_HOST_LOCKED",
      message: expect.stringContaining(by),
    });
    await sh("w1", "touch /root/go");
    expect(await first.ended()).toMatchObject({ code: 0 });
    expect(await held("w1")).toBe(false);
    expect(await stage.start("both").ended()).toMatchObject({ code: 0, recap: { ok: 2 } });
  });

  it("are root's also where the login is another user's", async () => {
    await using stage = await Stage.on("w1", "w2");
    const engine = stage.start("w2");
    await engine.atWork("wait", "w2");
    expect(await held("w2")).toBe(true);
    expect(
      await sh("w2", "stat -c '%U %a' /run/run-playbook/lock /run/run-playbook/lock/owner"),
    ).toBe("root 700\nroot 600");
  });

  it("go to one each of two engines that start in the same moment, never to both", async () => {
    await using stage = await Stage.on("w1", "w2");
    for (let round = 0; round < 3; round += 1) {
      const engines = [stage.start("both"), stage.start("both")];
      for (const host of ["w1", "w2"]) {
        const refused = () => engines.filter((engine) => engine.refusal(host) !== undefined);
        await expect.poll(() => refused().length, { timeout: 30_000 }).toBe(1);
        const winner = engines.find((engine) => !refused().includes(engine));
        await winner?.atWork("wait", host);
        expect(await owner(host)).toBe(await winner?.id());
      }
      for (const host of ["w1", "w2"]) await sh(host, "touch /root/go");
      for (const engine of engines) await engine.ended();
      for (const host of ["w1", "w2"]) await sh(host, "rm -f /root/go");
    }
  });

  it("are taken anew on a host that was started anew", async () => {
    await using stage = await Stage.on("w1", "w2");
    await sh("w1", "touch /run/reboot-required");
    const engine = stage.start("w1", "reboot,wait after reboot");
    await engine.atWork("wait after reboot", "w1");
    expect(await sh("w1", "[ -e /run/reboot-required ] || echo gone")).toBe("gone");
    await expect.poll(() => held("w1"), { timeout: 5000 }).toBe(true);
    expect(await owner("w1")).toBe(await engine.id());
    const second = stage.start("w1");
    expect(await second.ended()).toMatchObject({ code: 1 });
    expect(second.refusal("w1")?.code).toBe("PB_HOST_LOCKED");
    await sh("w1", "touch /root/go");
    expect(await engine.ended()).toMatchObject({ code: 0 });
  });

  it("are freed by hand from a run that hangs, which begins nothing more when it comes back", async () => {
    await using stage = await Stage.on("w1", "w2");
    const engine = stage.start("w1");
    await engine.atWork("wait", "w1");
    engine.child.kill("SIGSTOP");
    const unlocked = await cli(["unlock", "w1", ...on("w1"), "--yes"]);
    expect(unlocked).toMatchObject({ code: 0 });
    expect(unlocked.stdout).toMatch(/^w1 is locked by run \S+ of .*\nw1 is free\n$/);
    await sh("w1", "touch /root/go");
    expect(await stage.start("w1").ended()).toMatchObject({ code: 0 });
    await sh("w1", "rm /root/go");
    engine.child.kill("SIGCONT");
    await engine.until(({ type }) => type === "host-unreachable");
    expect(engine.refusal("w1")).toMatchObject({ code: "PB_LOCK_LOST" });
    await sh("w1", "touch /root/go");
    await engine.ended();
  });
});

// Each waits longer than a watchdog does, on a host of its own.
describe.concurrent("locks that outlast something", () => {
  it("and an engine that stood still for longer makes no further change once another run had the host", async ({
    expect,
  }) => {
    await using stage = await Stage.on("w7");
    const engine = stage.start("w7", "two changes");
    const waits = () => lab.exec("w7", ["pgrep", "-f", "^sh -c while .* /root/go$"]);
    await expect.poll(waits, { timeout: 20_000 }).toMatchObject({ code: 0 });
    engine.child.kill("SIGSTOP");
    await free("w7", 45);
    await sh("w7", "touch /root/go");
    expect(await stage.start("w7").ended()).toMatchObject({ code: 0 });
    engine.child.kill("SIGCONT");
    expect(await engine.ended()).toMatchObject({ code: 1, recap: { changed: 0 } });
    expect(engine.refusal("w7")).toMatchObject({ code: "PB_LOCK_LOST" });
    expect(await sh("w7", "[ -e /root/second ] || echo none")).toBe("none");
  });

  it("end within 30 s after an engine that was killed, though a command of it lives on", async ({
    expect,
  }) => {
    await using stage = await Stage.on("w3");
    const engine = stage.start("w3");
    const waits = () => lab.exec("w3", ["pgrep", "-f", "^sh -c while .* /root/go$"]);
    // A change is told before it is made.
    await expect.poll(waits, { timeout: 20_000 }).toMatchObject({ code: 0 });
    await engine.kill();
    expect(await held("w3")).toBe(true);
    expect(await free("w3", 40)).toBeLessThan(31_000);
    expect(await waits()).toMatchObject({ code: 0 });
    await sh("w3", "touch /root/go");
    expect(await stage.start("w3").ended()).toMatchObject({ code: 0 });
  });

  it("outlive a connection that dies with sshd in the middle of a run", async ({ expect }) => {
    await using stage = await Stage.on("w4");
    const engine = stage.start("w4");
    await engine.atWork("wait", "w4");
    const pid = await sh("w4", "cat /run/run-playbook/lock/pid");
    await sh("w4", "systemctl restart ssh && pkill -KILL -f '^sshd-session: root'");
    await engine.until(({ type }) => type === "node-waiting");
    // The next attempt is connected, and waits for what the first one began.
    await expect
      .poll(() => lab.exec("w4", ["pgrep", "-f", "^sh -c # leftovers"]), { timeout: 30_000 })
      .toMatchObject({ code: 0 });
    expect(await stage.start("w4").ended()).toMatchObject({ code: 1 });
    expect(await sh("w4", "cat /run/run-playbook/lock/pid")).toBe(pid);
    // Longer than the watchdog waits: heartbeats go over the new connection.
    await sleep(32_000);
    expect(await owner("w4")).toBe(await engine.id());
    expect(await held("w4")).toBe(true);
    await sh("w4", "touch /root/go");
    expect(await engine.ended()).toMatchObject({ code: 0 });
  });

  it("stay while a guarded change is unconfirmed: of a dead run, and against unlock", async ({
    expect,
  }) => {
    await using stage = await Stage.on("w5");
    const engine = stage.start("w5", "guard");
    await engine.atWork("guard", "w5");
    await expect
      .poll(() => lab.exec("w5", ["test", "-e", "/run/run-playbook/active-guard"]), {
        timeout: 10_000,
      })
      .toMatchObject({ code: 0 });
    await engine.kill();
    await sleep(33_000);
    expect(await held("w5")).toBe(true);
    const second = stage.start("w5");
    await second.ended();
    expect(second.refusal("w5")).toMatchObject({
      code: "PB_HOST_LOCKED",
      state: expect.stringContaining("a guarded change on w5 is not over yet"),
    });
    const unlocked = await cli(["unlock", "w5", ...on("w5"), "--yes"]);
    expect(unlocked).toMatchObject({ code: 1, stderr: expect.stringContaining("PB_GUARD_BUSY") });
    await free("w5", 60);
    expect(
      await sh("w5", "ls /run/run-playbook/active-guard /etc/doubtful 2>&1 || true"),
    ).not.toMatch(/^\/(run|etc)/m);
  });

  it("go with the host to another address", async ({ expect }) => {
    await using stage = await Stage.on("w6");
    const next = view.prefix.replace("::/64", "::99");
    const params = ["--param", `address=${next}`, "--param", `gateway=${view.gateway}`];
    const engine = stage.start("w6", "move,wait after move", ...params);
    await engine.atWork("wait after move", "w6");
    await sleep(32_000);
    expect(await held("w6")).toBe(true);
    expect(await owner("w6")).toBe(await engine.id());
    await sh("w6", "touch /root/go");
    expect(await engine.ended()).toMatchObject({ code: 0 });
    expect(await held("w6")).toBe(false);
  });
});
