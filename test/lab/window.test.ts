import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openLab } from "#lab/lab.ts";
import { cli, play, root } from "../support/cli.ts";
import { EngineProcess } from "../support/engine-process.ts";
import { folder } from "../support/program.ts";

const lab = openLab("locks");
let here: Awaited<ReturnType<typeof folder>>;

beforeAll(async () => {
  await lab.down();
  const view = await lab.up({ hosts: ["w1", "w2"], bare: true, disk: "1G", yes: true });
  const { identityFile, knownHostsFile } = view;
  const hosts = view.hosts.map(({ name, address }) => [
    name,
    { address, user: "root", identityFile, knownHostsFile },
  ]);
  const inventory = { hosts: Object.fromEntries(hosts), groups: { hosts: ["w1", "w2"] } };
  here = await folder({
    "hosts.ts": `import { defineInventory } from "run-playbook";
export default defineInventory(${JSON.stringify(inventory)});
`,
  });
});
afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await lab.down();
});

const time = (ms: number) => new Date(ms).toISOString().slice(11, 16);
const MINUTE = 60_000;

const slow = (steps: number) => [
  join(root, "test/fixtures/hosts/slow.ts"),
  ...["--inventory", join(here.path, "hosts.ts"), "--param", `steps=${steps}`],
];

it("a window that closes in the middle of a playbook: nothing is begun after, exit 4, and the next one finishes it", async () => {
  const now = Date.now();
  // At least twenty seconds of it are left: the first steps fit, thirty of three seconds never do.
  const opened = Math.floor(now / MINUTE) * MINUTE - MINUTE;
  const closesAt = Math.ceil((now + 20_000) / MINUTE) * MINUTE;
  const args = slow(30);
  const first = await play([...args, "--window", `${time(opened)}-${time(closesAt)}@UTC`]);
  expect(first.code).toBe(4);
  const started = first.events.filter(({ type }) => type === "node-started");
  expect(started.length).toBeGreaterThanOrEqual(2);
  for (const { at } of started) expect(at).toBeLessThan(closesAt + 1000);
  expect(first.recap.failed).toBe(0);
  const { stopped, changed, skipped } = first.recap;
  expect(stopped).toMatchObject({
    why: "window-closed",
    opensAt: opened + 24 * 60 * MINUTE,
  });
  expect(changed + skipped).toBe(60);
  const left = stopped?.left.steps.flatMap(({ hosts }) => hosts) ?? [];
  expect(left).toHaveLength(skipped);

  const marks = async (host: string) =>
    Number((await lab.exec(host, ["sh", "-c", "ls /root | grep -c ^mark-"])).stdout);
  expect((await marks("w1")) + (await marks("w2"))).toBe(changed);

  const closed = await cli([
    ...args,
    "--window",
    `${time(opened - 5 * MINUTE)}-${time(closesAt)}@UTC`,
  ]);
  expect(closed.code).toBe(4);
  expect(closed.stderr).toContain("PB_WINDOW_CLOSED");
  const rest = await play(["resume", "last", "--window", "00:00-24:00"]);
  expect(rest).toMatchObject({ code: 0, recap: { ok: changed, changed: skipped } });
});

it("a run that is stopped says about how long the rest took last time", async () => {
  const clear = () => lab.exec("w1", ["sh", "-c", "rm -f /root/mark-*"]);
  const args = [...slow(4), "--limit", "w1"];
  await clear();
  expect(await play(args)).toMatchObject({ code: 0, recap: { changed: 4 } });
  await clear();
  await using engine = new EngineProcess(args);
  await engine.atWork("mark 2", "w1");
  engine.child.kill("SIGINT");
  const { code, recap } = await engine.ended();
  expect(code).toBe(130);
  expect(recap).toMatchObject({ changed: 2, skipped: 2, stopped: { why: "interrupted" } });
  // Two steps of three seconds, and what comes to them.
  expect(recap?.stopped?.left.lastMs).toBeGreaterThan(6000);
  expect(recap?.stopped?.left.lastMs).toBeLessThan(20_000);
});
