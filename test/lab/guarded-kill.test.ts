import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { GUARD_BASE } from "#engine/host/introduction.ts";
import { openLab } from "#lab/lab.ts";
import { until } from "#lab/machine/until.ts";
import type { LabView } from "#lab/view.ts";
import * as use from "#modules/index.ts";
import { cli, type Played, play, root } from "../support/cli.ts";
import { ensureOn } from "../support/lab-play.ts";

// The engine dies between the begin of a guarded change and its confirmation. Each test goes on where the one before
// it ended.
const lab = openLab("gaps");
const folder = mkdtempSync(join(tmpdir(), "run-playbook-gaps-"));
/** `within` of the playbook. */
const WITHIN_SECONDS = 20;
let view: LabView;
let home: string;
let moved: string;
let peer: string;

beforeAll(async () => {
  await lab.down();
  view = await lab.up({ hosts: ["w1", "w2"], disk: "1G", bare: true, yes: true });
  [home = "", peer = ""] = view.hosts.map(({ address }) => address);
  moved = view.prefix.replace("::/64", "::71");
});

afterAll(async () => {
  await lab.down();
  rmSync(folder, { recursive: true });
});

// A dark peer cannot answer, so a change that asks for its answer is applied and stays unconfirmed.
beforeEach(() => lab.cut("w2"));

test("the host goes back by itself and answers at its old address; the next run makes the change", async () => {
  const before = await networkOf("w1");
  const command = network({ at: home, addresses: [moved], address: moved });
  const guard = await killedMidway(command, async () => {
    const has = await exec("w1", "ip -o -6 address show dev eth0 scope global -tentative");
    return has.includes(`${moved}/`) && !has.includes(`${home}/`);
  });

  expect(await guard.end()).toBe("rolled-back it was not confirmed in time\n");
  const back = async () => ((await networkOf("w1")) === before ? true : undefined);
  expect(await until(back, { seconds: 10 }), await networkOf("w1")).toBe(true);
  const asked = await ensureOn(view, "w1", use.assertOs({}));
  expect(asked.errors).toEqual([]);
  expect(asked.recap).toMatchObject({ ok: 1 });

  await lab.heal("w2");
  await finishes(command, ["network on w1", "kept on w1"], await onceFree(command));
  expect(await exec("w1", "cat /etc/kept")).toBe(`${moved}\n`);
  await finishes(network({ at: moved, addresses: [moved], address: moved }), []);
});

test("a run that comes while the host still waits is refused, and the one after it makes the change", async () => {
  const second = view.prefix.replace("::/64", "::72");
  const command = network({ at: moved, addresses: [moved, second], address: moved });
  const guard = await killedMidway(command, async () =>
    (await exec("w1", "ip -o -6 address show dev eth0")).includes(`${second}/`),
  );

  await lab.heal("w2");
  expect(await guard.waits()).toBe(true);
  const refused = await play(command);
  expect(refused.code).toBe(1);
  expect(lockOf(refused)).toMatchObject({
    code: "PB_HOST_LOCKED",
    state: expect.stringContaining("a guarded change on w1 is not over yet"),
  });

  expect(await guard.end()).toBe("rolled-back it was not confirmed in time\n");
  const next = await finishes(command, ["network on w1"], await onceFree(command));
  // What the dead engine had begun was undone before anything was read: there is all of it to do again.
  const says = next.events.flatMap((event) => (event.type === "change" ? [event.change.say] : []));
  expect(says.join("; ")).toContain(`eth0: + ${second}/64`);
  expect(await exec("w1", "ls /etc/netplan")).toBe("90-run-playbook.yaml\n");
  await finishes(command, []);
});

interface Wish {
  /** Where the inventory says that w1 answers. */
  readonly at: string;
  readonly addresses: readonly string[];
  /** Where it answers afterwards. */
  readonly address: string;
}

function network({ at, addresses, address }: Wish): string[] {
  const inventory = join(folder, `${at.replaceAll(":", "-")}.ts`);
  const { identityFile, knownHostsFile } = view;
  const w1 = { address: at, user: "root", identityFile, knownHostsFile, hostKeys: "accept-new" };
  writeFileSync(
    inventory,
    `import { defineInventory } from "run-playbook";
export default defineInventory({ hosts: { w1: ${JSON.stringify(w1)} }, groups: { hosts: ["w1"] } });
`,
  );
  const params = {
    addresses: JSON.stringify(addresses),
    gateway: view.gateway,
    peer,
    address,
  };
  return [
    join(root, "test/fixtures/hosts/network.ts"),
    ...["--inventory", inventory],
    ...Object.entries(params).flatMap(([name, value]) => ["--param", `${name}=${value}`]),
  ];
}

/** Runs the command until w1 has the new network and nothing but the confirmation is left, then kills the engine. */
async function killedMidway(command: readonly string[], isLive: () => Promise<boolean>) {
  const kill = new AbortController();
  const running = cli([...command, "--output", "json"], { kill: kill.signal });
  const applied = async () => {
    const { stdout } = await lab.exec("w1", ["sh", "-c", `cd ${ACTIVE} && cat state code`]);
    return stdout === "pending\n0\n" && (await isLive()) ? performance.now() : undefined;
  };
  const at = await until(applied, { seconds: 60 });
  kill.abort();
  const { code, stdout, stderr } = await running;
  expect(at, `${stdout}${stderr}`).toBeDefined();
  expect(code).toBeNull();
  expect(await exec("w1", `cd ${ACTIVE} && ls`)).not.toContain("confirmed");
  const own = (await exec("w1", `readlink -f ${ACTIVE}`)).trim();
  const waits = async () => (await lab.exec("w1", ["test", "-e", ACTIVE])).code === 0;
  return {
    waits,
    /** What the host wrote of its end, which has to come within its time. */
    async end() {
      const gone = async () => ((await waits()) ? undefined : true);
      expect(await until(gone, { seconds: WITHIN_SECONDS + 15 })).toBe(true);
      return exec("w1", `cat ${own}/state`);
    },
  };
}

const ACTIVE = `${GUARD_BASE}/active-guard`;

/** The lock of a run that is gone, where it kept this one out. */
const lockOf = ({ events }: Played) =>
  events.flatMap((event) => (event.type === "host-unreachable" ? [event.error] : []))[0];

/** The first run that the dead one's lock does not keep out: the host drops it within half a minute. */
async function onceFree(command: readonly string[]): Promise<Played> {
  const admitted = async () => {
    const played = await play(command);
    return lockOf(played)?.code === "PB_HOST_LOCKED" ? undefined : played;
  };
  const played = await until(admitted, { seconds: 40, every: 1000 });
  expect(played).toBeDefined();
  return played!;
}

async function finishes(
  command: readonly string[],
  changed: readonly string[],
  own?: Played,
): Promise<Played> {
  const played = own ?? (await play(command));
  expect(played.ended("failed"), played.stdout).toEqual([]);
  expect(played.ended("changed")).toEqual(changed);
  expect(played.code).toBe(0);
  return played;
}

const networkOf = (host: string): Promise<string> =>
  exec(
    host,
    "sha256sum /etc/netplan/*; ip -o -6 address show dev eth0 scope global; ip -6 route show default",
  );

async function exec(host: string, text: string): Promise<string> {
  const { code, stdout, stderr } = await lab.exec(host, ["sh", "-c", text]);
  expect(code, `${text}\n${stderr}`).toBe(0);
  return stdout;
}
